//! The live view on a real terminal, and its frame for scripts.

use api::transport::Listen;
use rustix::process::Signal;

use crate::{
    process::answer,
    pseudo_terminal::PseudoTerminal,
    told::{ID, Told, serve, serve_at},
};

/// What every frame has.
const SHOWN: [&str; 4] = ["blue/app1", "port_scan", "pod/red//db", "n1"];

#[tokio::test(flavor = "multi_thread")]
async fn it_shows_resizes_opens_and_gives_the_terminal_back() {
    let (_folder, server) = serve(&Told::default()).await;
    let mut top = PseudoTerminal::start(&["--server", &server, "top"], 160, 40);
    let screen = top.shows(&[&SHOWN[..], &["live", "q quit"]].concat());
    // This terminal shows no replacement character.
    assert!(screen.contains("blue/app1 scans[2J"), "{screen}");

    top.resize(70, 20);
    // Side by side it was cut off; below the others there is room.
    top.shows(&["blue/app1", "\n Nodes (1)"]);
    top.resize(160, 40);
    top.shows(&SHOWN);

    top.press("\r");
    top.shows(&[ID, "acknowledged", "Esc close"]);
    top.press("\x1b");
    top.shows(&["q quit"]);
    top.press("/nobody\r");
    top.shows(&["filter: nobody", "No anomaly is open."]);
    top.press("q");
    let (status, screen) = top.end();
    assert!(status.success(), "{status}: {screen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn however_it_ends_the_terminal_is_as_it_was() {
    let (_folder, server) = serve(&Told::default()).await;
    for end in [
        None,
        Some(Signal::INT),
        Some(Signal::TERM),
        Some(Signal::HUP),
    ] {
        let mut top = PseudoTerminal::start(&["--server", &server, "top"], 100, 30);
        top.shows(&["blue/app1"]);
        match end {
            None => top.press("\x03"),
            Some(signal) => top.signal(signal),
        }
        let (status, screen) = top.end();
        assert!(status.success(), "{end:?}: {status}: {screen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_goes_and_comes_back_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let told = Told::default();
    let listen = || Listen::Unix(folder.path().join("s"));
    let (server, running) = serve_at(listen(), &told).await;
    let top = PseudoTerminal::start(&["--server", &server, "top", "--every", "500ms"], 200, 30);
    top.shows(&["live", "blue/app1"]);
    running.abort();
    assert!(running.await.is_err_and(|error| error.is_cancelled()));
    top.shows(&["AWAY", "cannot connect", "blue/app1"]);
    let (_, _running) = serve_at(listen(), &told).await;
    top.shows(&["live", "blue/app1"]);
}

#[tokio::test]
async fn without_a_terminal_it_is_one_frame_of_plain_text() {
    let (_folder, server) = serve(&Told::default()).await;
    for arguments in [&["top"][..], &["top", "--once", "--width", "200"]] {
        let text = answer(&[&["--server", &server], arguments].concat()).await;
        for expected in SHOWN {
            assert!(text.contains(expected), "{arguments:?}: {text}");
        }
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
    let text = answer(&["--server", &server, "top", "--text", "nobody"]).await;
    assert!(text.contains("No anomaly is open."), "{text}");
}
