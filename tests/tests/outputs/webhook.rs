//! Webhooks, to a server that fails.

use std::{collections::BTreeSet, fs, time::Duration};

use anyhow::{Context as _, Result, ensure};
use api::base64;
use ring::hmac;
use tests::wait_for;

use crate::{
    collector::{Collector, LIMIT},
    events::{EPOCH, NODE, events, publish},
    receiver::{Answer, Posted, Receiver},
};

const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

/// Sent again at once, so that a test need not wait.
const RETRY: &str = "retry: {first: 1ms, longest: 20ms}";

fn hook(receiver: &Receiver, more: &str) -> String {
    format!(
        "outputs:\n- name: hook\n  from: beginning\n  {RETRY}\n  webhook: {{url: 'http://{}/in', secret_file: secret{more}}}\n",
        receiver.address
    )
}

fn secret(folder: &std::path::Path) -> Result<()> {
    Ok(fs::write(
        folder.join("secret"),
        format!("whsec_{}\n", base64::encode(KEY)),
    )?)
}

/// As receivers do it: over what came, and not what should have come.
fn is_signed(posted: &Posted) -> bool {
    let [id, at] = ["webhook-id", "webhook-timestamp"].map(|it| posted.header(it));
    let mut signed = format!("{id}.{at}.").into_bytes();
    signed.extend_from_slice(&posted.body);
    let tag = posted.header("webhook-signature").strip_prefix("v1,");
    let tag = tag.and_then(base64::decode).unwrap_or_default();
    let key = hmac::Key::new(hmac::HMAC_SHA256, KEY);
    hmac::verify(&key, &signed, &tag).is_ok()
}

fn ids(posted: &[Posted]) -> Vec<String> {
    posted
        .iter()
        .map(|it| it.header("webhook-id").to_owned())
        .collect()
}

fn id(sequence: u64) -> String {
    format!("{}/{EPOCH}/{sequence}", NODE.replace('.', "_"))
}

/// What arrived without what arrived again, which a receiver tells by the id.
fn once(ids: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let fresh = ids.iter().filter(|it| seen.insert(it.as_str()));
    fresh.cloned().collect()
}

fn expected(events: u64) -> Vec<String> {
    (1..=events).map(id).collect()
}

#[test]
fn a_server_that_fails_half_the_time_gets_everything_once_and_in_order() -> Result<()> {
    const EVENTS: u64 = 500;
    let folder = tempfile::tempdir()?;
    secret(folder.path())?;
    let mut random = fastrand::Rng::with_seed(7);
    let mut forged = 0;
    let receiver = Receiver::start(move |posted| {
        forged += usize::from(!is_signed(posted));
        match random.u8(..8) {
            _ if forged > 0 => Answer::Refuse(400),
            0..4 => Answer::Take,
            4 => Answer::Refuse(500),
            5 => Answer::Refuse(503),
            6 => Answer::Later(429, 0),
            _ => Answer::Refuse(408),
        }
    })?;
    let collector = Collector::start(folder.path(), &hook(&receiver, ""))?;
    publish(folder.path(), &events(1..=EVENTS))?;
    wait_for("all events", LIMIT, || {
        Ok((receiver.count() as u64 >= EVENTS).then_some(()))
    })
    .with_context(|| collector.log())?;
    let taken = receiver.taken();
    ensure!(ids(&taken) == expected(EVENTS), "{:?}", ids(&taken));
    for (posted, sequence) in taken.iter().zip(1..) {
        ensure!(posted.header("content-type") == "application/json");
        let event: serde_json::Value = serde_json::from_slice(&posted.body)?;
        ensure!(event["id"]["sequence"] == sequence, "{event}");
    }
    let retries = collector.metric("picket_collector_output_retries_total{output=\"hook\"}")?;
    ensure!(retries > EVENTS / 2, "{retries} retries");
    let dead = "picket_collector_output_dead_letters_total{output=\"hook\",reason=\"refused\"}";
    ensure!(collector.metric(dead)? == 0);
    Ok(())
}

#[test]
fn outages_and_kills_lose_nothing_and_what_comes_again_is_known_by_its_id() -> Result<()> {
    const ROUNDS: u64 = 10;
    const EVENTS: u64 = 200;
    /// Of the collector: what lies between two cursors that are kept.
    const PAGE: usize = 64;
    let folder = tempfile::tempdir()?;
    secret(folder.path())?;
    let mut receiver = Receiver::start(|_| Answer::Take)?;
    let mut collector = Collector::start(folder.path(), &hook(&receiver, ", form: cloudevents"))?;
    let mut random = fastrand::Rng::with_seed(3);
    let mut kills = 0;
    for round in 0..ROUNDS {
        let all = events(round * EVENTS + 1..=(round + 1) * EVENTS);
        publish(folder.path(), &all)?;
        let some = receiver.count() + random.usize(1..EVENTS as usize / 2);
        wait_for("some events", LIMIT, || {
            let most = ((round + 1) * EVENTS) as usize;
            Ok((receiver.count() >= some.min(most)).then_some(()))
        })
        .with_context(|| collector.log())?;
        match round % 3 {
            0 => {
                receiver.go_away();
                collector.wait_for_line("not taken")?;
                receiver.come_back()?;
            }
            1 => {
                collector.kill()?;
                kills += 1;
            }
            _ => collector.restart()?,
        }
    }
    let all = ROUNDS * EVENTS;
    wait_for("every event", LIMIT, || {
        let arrived: BTreeSet<_> = ids(&receiver.taken()).into_iter().collect();
        Ok((arrived.len() as u64 == all).then_some(()))
    })
    .with_context(|| collector.log())?;
    let taken = receiver.taken();
    ensure!(taken.iter().all(is_signed));
    let kind = "application/cloudevents+json";
    ensure!(
        taken
            .iter()
            .all(|it| it.header("content-type").starts_with(kind))
    );
    let came = ids(&taken);
    ensure!(once(&came) == expected(all), "out of order");
    let again = came.len() - all as usize;
    told(
        "events came again",
        again,
        &format!("{kills} kills of {all} events"),
    );
    // An outage cuts the answer to one event at most, a kill what was taken after the cursor was kept last.
    ensure!(again <= kills * PAGE + ROUNDS as usize, "{again} again");
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a figure of the test")]
fn told(what: &str, count: usize, of: &str) {
    eprintln!("{count} {what}: {of}");
}

#[test]
fn what_is_taken_though_nobody_learns_of_it_comes_again_under_the_same_id() -> Result<()> {
    let folder = tempfile::tempdir()?;
    secret(folder.path())?;
    let mut answers = 0;
    let receiver = Receiver::start(move |_| {
        answers += 1;
        if answers % 3 == 1 {
            Answer::TakeAndBreak
        } else {
            Answer::Take
        }
    })?;
    let collector = Collector::start(folder.path(), &hook(&receiver, ""))?;
    publish(folder.path(), &events(1..=20))?;
    wait_for("all events", LIMIT, || {
        let arrived: BTreeSet<_> = ids(&receiver.taken()).into_iter().collect();
        Ok((arrived.len() == 20).then_some(()))
    })
    .with_context(|| collector.log())?;
    let came = ids(&receiver.taken());
    ensure!(came.len() > 20, "nothing came again");
    ensure!(once(&came) == expected(20));
    Ok(())
}

#[test]
fn what_a_server_refuses_for_good_is_counted_and_delays_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    secret(folder.path())?;
    let receiver = Receiver::start(|posted| {
        let sequence = posted.header("webhook-id").rsplit('/').next();
        match sequence {
            Some("3") => Answer::Refuse(400),
            Some("5") => Answer::Refuse(413),
            _ => Answer::Take,
        }
    })?;
    let mut collector = Collector::start(folder.path(), &hook(&receiver, ""))?;
    publish(folder.path(), &events(1..=6))?;
    wait_for("the others", LIMIT, || {
        Ok((receiver.count() == 4).then_some(()))
    })?;
    let expected = [1, 2, 4, 6].map(id);
    ensure!(ids(&receiver.taken()) == expected);
    for (reason, count) in [
        ("refused", 1),
        ("too_large", 1),
        ("form", 0),
        ("gave_up", 0),
    ] {
        let name = format!(
            "picket_collector_output_dead_letters_total{{output=\"hook\",reason=\"{reason}\"}}"
        );
        ensure!(collector.metric(&name)? == count, "{reason}");
    }
    let line = collector.wait_for_line("gave up an event")?;
    ensure!(line.contains("400") && line.contains(NODE), "{line}");
    Ok(())
}

#[test]
fn what_is_not_taken_for_long_is_given_up_when_the_configuration_says_so() -> Result<()> {
    let folder = tempfile::tempdir()?;
    secret(folder.path())?;
    let receiver = Receiver::start(|posted| {
        if posted.header("webhook-id") == id(1) {
            Answer::Refuse(500)
        } else {
            Answer::Take
        }
    })?;
    let yaml = hook(&receiver, "").replace("longest: 20ms", "longest: 20ms, give_up: 200ms");
    let collector = Collector::start(folder.path(), &yaml)?;
    publish(folder.path(), &events(1..=3))?;
    wait_for("the others", LIMIT, || {
        Ok((receiver.count() == 2).then_some(()))
    })
    .with_context(|| collector.log())?;
    ensure!(ids(&receiver.taken()) == [2, 3].map(id));
    let dead = "picket_collector_output_dead_letters_total{output=\"hook\",reason=\"gave_up\"}";
    ensure!(collector.metric(dead)? == 1);
    Ok(())
}

#[test]
fn slack_is_told_in_plain_text_and_nobody_is_told_its_address() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut receiver = Receiver::start(|_| Answer::Take)?;
    let url = format!("http://{}/services/s3cret", receiver.address);
    fs::write(folder.path().join("url"), url)?;
    let yaml = format!(
        "outputs:\n- name: slack\n  from: beginning\n  {RETRY}\n  rate: {{per_second: 50}}\n  slack: {{url_file: url}}\n"
    );
    receiver.go_away();
    let mut collector = Collector::start(folder.path(), &yaml)?;
    publish(folder.path(), &events(1..=5))?;
    collector.wait_for_line("not taken")?;
    receiver.come_back()?;
    wait_for("all events", LIMIT, || {
        Ok((receiver.count() == 5).then_some(()))
    })
    .with_context(|| collector.log())?;
    for posted in receiver.taken() {
        let message: serde_json::Value = serde_json::from_slice(&posted.body)?;
        let text = &message["blocks"][0]["text"];
        ensure!(text["type"] == "plain_text", "{message}");
        ensure!(
            text["text"].as_str().is_some_and(|it| it.contains("web-0")),
            "{message}"
        );
    }
    ensure!(!collector.log().contains("s3cret"), "{}", collector.log());
    Ok(())
}

#[test]
fn a_filter_a_template_and_a_rate_are_heeded_and_a_file_that_changes_is_read_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    secret(folder.path())?;
    let receiver = Receiver::start(|_| Answer::Take)?;
    let template = ", template: '{\"text\": {{ summary }}, \"pod\": {{ event.source.pod }}}'";
    let first = hook(&receiver, template) + "  filter: {states: [closed]}\n";
    let mut collector = Collector::start(folder.path(), &first)?;
    publish(folder.path(), &events(1..=3))?;
    let name = "picket_collector_output_lag_events{output=\"hook\"}";
    wait_for("the end of the log", LIMIT, || {
        Ok((collector.metric(name)? == 0).then_some(()))
    })?;
    ensure!(receiver.count() == 0);

    collector.configure(
        "outputs: [{name: hook, webhook: {url: 'http://127.0.0.1:1', template: '{{'}}]",
    )?;
    let line = collector.wait_for_line("those before stay")?;
    ensure!(line.contains("line 1 of the template"), "{line}");
    let next = hook(&receiver, template) + "  rate: {per_second: 20, burst: 1}\n";
    collector.configure(&next)?;
    collector.wait_for_line("set anew")?;
    let all = events(1..=13);
    let began = std::time::Instant::elapsed;
    let start = clock();
    publish(folder.path(), &all)?;
    wait_for("what follows", LIMIT, || {
        Ok((receiver.count() == 10).then_some(()))
    })?;
    ensure!(
        began(&start) >= Duration::from_millis(440),
        "20 a second is slower"
    );
    ensure!(ids(&receiver.taken()) == (4..=13).map(id).collect::<Vec<_>>());
    let body: serde_json::Value = serde_json::from_slice(&receiver.taken()[0].body)?;
    ensure!(body["pod"] == "web-0" && body["text"].is_string(), "{body}");
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a rate is measured")]
fn clock() -> std::time::Instant {
    std::time::Instant::now()
}
