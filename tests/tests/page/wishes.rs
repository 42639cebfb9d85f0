//! What the scripts cannot do themselves is done for them: they say `please: ` and what, and wait until they see it.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tests::{Process, Shop, Watch, wait_for};

const WISH: &str = "please: ";

/// Grants every wish of the scripts until they end, and shows what they say.
#[expect(clippy::print_stdout, reason = "which of the scripts' tests passed")]
pub(crate) fn grant(
    scripts: &mut Process,
    limit: Duration,
    watch: &mut Watch,
    shop: &Shop,
) -> Result<()> {
    let mut seen = 0;
    wait_for("the end of the page's scripts", limit, || {
        let ended = !scripts.is_running()?;
        let lines = scripts.lines();
        for line in lines.iter().skip(seen) {
            println!("{line}");
            seen += 1;
            let Some(wish) = line.strip_prefix(WISH) else {
                continue;
            };
            match wish {
                "stop the collector" => watch.stop_collector(),
                "start the collector" => watch.start_collector(),
                "let somebody scan" => shop.spread(),
                _ => bail!("nobody knows how to {wish}"),
            }
            .with_context(|| format!("cannot {wish}"))?;
        }
        Ok(ended.then_some(()))
    })
}
