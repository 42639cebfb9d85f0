//! The view, without a terminal: what keys do to the model, and what the model looks like.

use std::time::{Duration, SystemTime};

use api::v1::{
    Anomaly, AnomalyState, Burning, Criterion, Endpoint, Event, EventId, GetGraphResponse, Link,
    LinkPort, ListAnomaliesResponse, Node, NodeStatus, Severity, Slot, Transport, Vertex,
    VertexKind,
};
use ratatui::{Terminal, backend::TestBackend};

use super::{
    model::{Command, Key, Message, Model},
    panel::Panel,
    plain::frame,
    snapshot::Snapshot,
    view::draw,
};

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn anomaly(id: &str, pod: &str, severity: Severity, counted: u64) -> Anomaly {
    Anomaly {
        id: id.into(),
        state: AnomalyState::Open.into(),
        opened_at: Some((now() - Duration::from_secs(90)).into()),
        updated_at: Some((now() - Duration::from_secs(counted)).into()),
        last: Some(Event {
            id: Some(EventId {
                node: "n1".into(),
                ..EventId::default()
            }),
            detector: "port_scan".into(),
            severity: severity.into(),
            counted,
            crossed: Some(Criterion {
                threshold: 10,
                ..Criterion::default()
            }),
            source: Some(Endpoint {
                namespace: "blue".into(),
                pod: pod.into(),
                ..Endpoint::default()
            }),
            summary: format!("blue/{pod} scanned"),
            ..Event::default()
        }),
        ..Anomaly::default()
    }
}

fn snapshot() -> Snapshot {
    Snapshot {
        anomalies: ListAnomaliesResponse {
            anomalies: vec![
                anomaly("a", "app1", Severity::Medium, 45),
                anomaly("b", "app2", Severity::High, 12),
            ],
            open: 2,
            ..ListAnomaliesResponse::default()
        },
        graph: GetGraphResponse {
            vertices: vec![Vertex {
                id: "workload/blue//app1".into(),
                kind: VertexKind::Workload.into(),
                namespace: "blue".into(),
                name: "app1".into(),
                ..Vertex::default()
            }],
            links: vec![Link {
                source: "workload/blue//app1".into(),
                destination: "red/db".into(),
                ports: vec![LinkPort {
                    transport: Transport::Tcp.into(),
                    port: 5432,
                    ..LinkPort::default()
                }],
                burning: Some(Burning {
                    open: 1,
                    severity: Severity::High.into(),
                    ..Burning::default()
                }),
                ..Link::default()
            }],
            ..GetGraphResponse::default()
        },
        nodes: Ok(vec![Node {
            name: "n1".into(),
            connected: true,
            last_seen: Some((now() - Duration::from_secs(3)).into()),
            status: Some(NodeStatus {
                slots_capacity: 256,
                slots: vec![Slot {
                    interface: "veth1".into(),
                    namespace: "blue".into(),
                    pod: "app1".into(),
                    distinct_ports: 125,
                    ..Slot::default()
                }],
                ..NodeStatus::default()
            }),
            ..Node::default()
        }]),
        ports_per_minute: Some(250),
    }
}

fn model() -> Model {
    Model::new("unix:/s".into(), String::new(), snapshot(), now())
}

fn press(model: &mut Model, keys: impl IntoIterator<Item = Key>) -> Option<Command> {
    let commands = keys.into_iter().map(|it| model.update(Message::Key(it)));
    commands.last().flatten()
}

fn shown(model: &Model, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(model, frame)).unwrap();
    terminal.backend().to_string()
}

fn ids(model: &Model, panel: Panel) -> Vec<String> {
    model.rows(panel).into_iter().map(|it| it.id).collect()
}

#[test]
fn a_terminal_of_any_size_shows_what_it_has_room_for() {
    let model = model();
    for (width, height, expected, missing) in [
        (
            160,
            40,
            &[
                "live",
                "open 2",
                "blue/app1",
                "45/10",
                "red/db",
                "tcp/5432?",
                "#####..... /250",
                "n1",
                "3s",
                "q quit",
            ][..],
            &[][..],
        ),
        (80, 40, &["blue/app1", "red/db", "/250", "connected"], &[]),
        (80, 12, &["blue/app1"], &["red/db", "/250"]),
        (20, 5, &["picket top"], &[]),
        (1, 1, &[], &[]),
    ] {
        let shown = shown(&model, width, height);
        for text in expected {
            assert!(
                shown.contains(text),
                "{width}x{height}: {text} is not in\n{shown}"
            );
        }
        for text in missing {
            assert!(
                !shown.contains(text),
                "{width}x{height}: {text} is in\n{shown}"
            );
        }
    }
}

#[test]
fn keys_sort_filter_choose_and_open() {
    let mut model = model();
    assert_eq!(ids(&model, Panel::Anomalies), ["b", "a"], "by severity");
    press(&mut model, [Key::Character('r')]);
    assert_eq!(ids(&model, Panel::Anomalies), ["a", "b"]);
    press(&mut model, [Key::Character('s'), Key::Character('s')]);
    assert_eq!(model.sorted_by(Panel::Anomalies), ("counted", false));
    assert_eq!(ids(&model, Panel::Anomalies), ["a", "b"]);

    press(&mut model, [Key::Character('/')]);
    press(&mut model, "APP2q".chars().map(Key::Character));
    press(&mut model, [Key::Erase, Key::Enter]);
    assert_eq!(ids(&model, Panel::Anomalies), ["b"]);
    assert!(ids(&model, Panel::Links).is_empty());
    press(&mut model, [Key::Escape, Key::Down]);
    assert_eq!(ids(&model, Panel::Anomalies), ["a", "b"]);

    let asked = press(&mut model, [Key::Enter]);
    assert_eq!(asked, Some(Command::Explain("b".into())));
    assert!(shown(&model, 100, 30).contains("asking the server"));
    model.update(Message::Details("a".into(), vec!["of another".into()]));
    model.update(Message::Details(
        "b".into(),
        vec!["one".into(), "two".into()],
    ));
    assert!(shown(&model, 100, 30).contains("one"));
    press(&mut model, [Key::Down, Key::Down, Key::Down]);
    let scrolled = shown(&model, 100, 30);
    assert!(
        !scrolled.contains("one") && scrolled.contains("two"),
        "{scrolled}"
    );
    assert_eq!(
        press(&mut model, [Key::Character('q')]),
        None,
        "it closes that"
    );
    assert_eq!(
        press(&mut model, [Key::Character('q')]),
        Some(Command::Quit)
    );
}

#[test]
fn a_row_stays_chosen_when_others_come_and_go() {
    let mut model = model();
    press(&mut model, [Key::Down]);
    let mut fresh = snapshot();
    let worse = anomaly("0", "app0", Severity::High, 99);
    fresh.anomalies.anomalies.insert(0, worse);
    model.update(Message::Told(Box::new(fresh)));
    let rows = model.rows(Panel::Anomalies);
    assert_eq!(rows[model.chosen(Panel::Anomalies, &rows)].id, "a");
    model.update(Message::Told(Box::new(Snapshot {
        anomalies: ListAnomaliesResponse::default(),
        ..snapshot()
    })));
    assert!(shown(&model, 100, 30).contains("No anomaly is open."));
    assert_eq!(press(&mut model, [Key::Down, Key::Enter]), None);
}

#[test]
fn what_is_paused_stays_and_what_came_meanwhile_is_shown_after() {
    let mut model = model();
    let empty = Snapshot {
        anomalies: ListAnomaliesResponse::default(),
        ..snapshot()
    };
    press(&mut model, [Key::Character('p')]);
    model.update(Message::Told(Box::new(empty.clone())));
    assert!(shown(&model, 160, 30).contains("PAUSED"));
    assert_eq!(model.snapshot, snapshot());
    press(&mut model, [Key::Character('p')]);
    assert_eq!(model.snapshot, empty);
}

#[test]
fn a_server_that_is_away_is_told_of_until_it_is_back() {
    let mut model = model();
    model.update(Message::Away("nobody\u{1b}[2J answers".into()));
    model.update(Message::Tick(now() + Duration::from_secs(70)));
    model.update(Message::Away("nobody answers".into()));
    let away = shown(&model, 160, 30);
    assert!(away.contains("AWAY for 1m: nobody answers"), "{away}");
    assert!(away.contains("blue/app1"), "what was known stays: {away}");
    model.update(Message::Told(Box::new(snapshot())));
    assert!(shown(&model, 160, 30).contains("live"));
}

#[test]
fn hostile_names_act_on_no_terminal_and_break_no_column() {
    let long = "x".repeat(253);
    let mut hostile = snapshot();
    for (place, name) in ["\u{1b}[2J\u{9b}31m", "\u{202e}gnp.exe", &long, "日本語"]
        .into_iter()
        .enumerate()
    {
        let id = format!("{place}\u{1b}");
        let anomaly = anomaly(&id, name, Severity::High, 1);
        hostile.anomalies.anomalies.push(anomaly);
        hostile.graph.links.push(Link {
            source: name.into(),
            destination: name.into(),
            ..Link::default()
        });
    }
    let mut model = Model::new("unix:/\u{1b}s".into(), "\u{202e}".into(), hostile, now());
    model.update(Message::Away("\u{1b}]0;title\u{7}".into()));
    assert!(shown(&model, 160, 40).contains("filter: \u{fffd}"));
    press(&mut model, [Key::Escape]);
    for (width, height) in [(160, 40), (80, 24), (30, 10)] {
        let shown = shown(&model, width, height);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines.len(), usize::from(height));
        assert!(
            !shown.contains(|it: char| it != '\n' && api::harmless::is_harmful(it)),
            "{shown:?}"
        );
    }
    let text = frame(&model, 140).join("\n");
    assert!(
        !text.contains(|it: char| it != '\n' && api::harmless::is_harmful(it)),
        "{text:?}"
    );
    assert!(text.contains("日本語") && text.contains("xxx…"), "{text}");
    press(&mut model, [Key::Enter]);
    let opened = shown(&model, 80, 24);
    assert!(!opened.contains('\u{1b}'), "{opened:?}");
}

#[test]
fn one_frame_is_plain_text() {
    let text = frame(&model(), 100).join("\n");
    let expected = "\
picket top unix:/s  open 2  nodes 1/1  contained 0

Open anomalies (2) by severity
  SEVERITY  POD                         DETECTOR            COUNTED        OPENED      UPDATED     WHAT
  high      blue/app2                   port_scan           12/10          1m          12s         blue/…
  medium    blue/app1                   port_scan           45/10          1m          45s         blue/…

Who contacts whom (1) by open
  FROM                     TO                       PORTS                    SEEN        OPEN
  blue/app1                red/db                   tcp/5432?                -           1 high

Budgets of pods (1) by ports
  POD                                                  NODE            PORTS/MIN   BUDGET
  blue/app1                                            n1              125         #####..... /250

Nodes (1) by lag
  NODE                                  STATE      LAG       SLOTS      COVERED    PENDING   LOST
  n1                                    connected  3s        1/256      0/0        0         0";
    assert_eq!(text, expected, "{text}");
}
