//! Where log lines go: standard error, as JSON in production. `RUST_LOG` chooses how much.
use tracing_subscriber::EnvFilter;

pub enum Form {
    Json,
    Plain,
}

pub fn start(form: Form) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,jiaofei=info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    match form {
        Form::Json => lines.json().flatten_event(true).with_span_list(false).init(),
        Form::Plain => lines.compact().init(),
    }
}
