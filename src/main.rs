//! The program: one command line over the library.
use std::process::ExitCode;

fn main() -> ExitCode {
    jiaofei::cli::args::main()
}
