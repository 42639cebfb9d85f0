//! `picket`: parses its arguments, runs one command, and says in one line what went wrong.

use std::{
    io::{self, Write as _},
    process::ExitCode,
    time::SystemTime,
};

use cli::Arguments;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::read();
    #[expect(clippy::disallowed_methods, reason = "the one reading of the clock")]
    let now = SystemTime::now();
    match cli::run(arguments, now).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.exit_code();
            let chain = anyhow::Error::from(error);
            // Nobody is left to tell when stderr is closed too.
            writeln!(io::stderr(), "error: {chain:#}").ok();
            code
        }
    }
}
