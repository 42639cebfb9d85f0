//! What the scripts cannot do themselves is done for them: they say `please: ` and what, and wait until they see it.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tests::{Process, Shop, Watch, wait_for};

const WISH: &str = "please: ";

/// Grants every wish of the scripts until they end.
pub(crate) fn grant(
    scripts: &mut Process,
    limit: Duration,
    watch: &mut Watch,
    shop: &Shop,
) -> Result<()> {
    let mut granted = 0;
    wait_for("the end of the page's scripts", limit, || {
        let ended = !scripts.is_running()?;
        let lines = scripts.lines();
        let wishes = lines.iter().filter_map(|line| line.strip_prefix(WISH));
        for wish in wishes.skip(granted) {
            granted += 1;
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
