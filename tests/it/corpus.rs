//! What the fuzzers have kept, read again: each reader refuses it or takes it whole.
use std::path::Path;

#[path = "../../fuzz/parsers.rs"]
mod parsers;

#[test]
fn every_input_the_fuzzers_kept_is_read_or_refused_without_a_panic() {
    for (name, parse) in parsers::ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut read = 0;
        for file in files {
            parse(&std::fs::read(file.unwrap().path()).unwrap());
            read += 1;
        }
        assert!(read > 0, "{name} has no corpus");
    }
}
