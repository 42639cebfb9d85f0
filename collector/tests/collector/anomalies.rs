//! Anomalies as people work on them: listed, opened, judged.

use api::v1::{self, AnomalyState, TriageState, anomalies_client::AnomaliesClient};
use tonic::{Code, Status, transport::Channel};

use crate::{
    engine::{Engine, on_each_engine},
    harness::{Collector, beginning, event, eventually, sequence},
};

on_each_engine!(
    what_people_make_of_an_anomaly_is_told_to_all_and_survives_a_restart,
    retention_takes_what_was_told_of_an_anomaly,
);

async fn client(collector: &Collector) -> AnomaliesClient<Channel> {
    AnomaliesClient::new(collector.channel().await)
}

async fn list(collector: &Collector) -> v1::ListAnomaliesResponse {
    let request = v1::ListAnomaliesRequest::default();
    let listed = client(collector).await.list(request).await.unwrap();
    listed.into_inner()
}

async fn get(collector: &Collector, id: &str) -> Result<v1::AnomalyDetails, Status> {
    let request = v1::GetAnomalyRequest { id: id.into() };
    let got = client(collector).await.get(request).await?;
    Ok(got.into_inner())
}

async fn triage(
    collector: &Collector,
    id: &str,
    kind: v1::TriageKind,
    note: &str,
) -> Result<v1::Event, Status> {
    let triage = Some(v1::Triage {
        anomaly_id: id.into(),
        kind: kind.into(),
        note: note.into(),
        ..Default::default()
    });
    let request = v1::TriageRequest { triage };
    let event = client(collector).await.triage(request).await?;
    Ok(event.into_inner())
}

/// Two events of one anomaly, and one of another.
async fn publish(collector: &Collector) -> String {
    let mut agent = collector.agent("n1").await;
    let mut later = event("n1", 2);
    later.anomaly_id = event("n1", 1).anomaly_id;
    later.state = v1::State::Updated.into();
    let mut closed = event("n1", 3);
    closed.state = v1::State::Closed.into();
    agent.send_batch(vec![event("n1", 1), later, closed]).await;
    agent.acknowledged().await;
    eventually("both", async || {
        (list(collector).await.matching == 2).then_some(())
    })
    .await;
    event("n1", 1).anomaly_id
}

async fn what_people_make_of_an_anomaly_is_told_to_all_and_survives_a_restart(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let id = publish(&collector).await;
    let listed = list(&collector).await;
    let [first, second] = &listed.anomalies[..] else {
        panic!("{:?}", listed.anomalies);
    };
    assert_eq!((&first.id, first.events), (&id, 2));
    assert_eq!(first.last.as_ref().map(sequence), Some(2));
    assert_eq!(second.state(), AnomalyState::Closed);
    assert_eq!((listed.open, listed.cursor), (1, 3));

    let mut subscriber = collector
        .subscribe(beginning(), v1::Filter::default())
        .await;
    let said = triage(&collector, &id, v1::TriageKind::Acknowledged, "mine").await;
    let said = said.unwrap();
    assert_eq!(said.cursor, 4);
    assert_eq!(
        said.summary,
        format!("somebody acknowledged anomaly {id} of 10.244.147.92: mine")
    );
    for _ in 0..3 {
        subscriber.event().await;
    }
    assert_eq!(subscriber.event().await, said, "and so is every subscriber");

    let check = async |collector: &Collector| {
        let details = get(collector, &id).await.unwrap();
        let anomaly = details.anomaly.unwrap();
        assert_eq!(anomaly.triage(), TriageState::Acknowledged);
        assert_eq!((anomaly.events, anomaly.notes), (2, 1));
        let sequences: Vec<_> = details.events.iter().map(sequence).collect();
        assert_eq!(sequences, [1, 2]);
        assert_eq!(details.triage, std::slice::from_ref(&said));
        assert_eq!(details.related.len(), 1, "of the same source");
    };
    check(&collector).await;
    let collector = collector.restart().await;
    eventually("the log read again", async || {
        (list(&collector).await.cursor == 4).then_some(())
    })
    .await;
    check(&collector).await;
    let more = triage(&collector, &id, v1::TriageKind::Resolved, "")
        .await
        .unwrap();
    assert_eq!(sequence(&more), 1, "of another epoch");
    let anomaly = &list(&collector).await.anomalies[0];
    assert_eq!(anomaly.triage(), TriageState::Resolved);
    collector.stop().await;
}

async fn retention_takes_what_was_told_of_an_anomaly(engine: Engine) {
    let retain = collector::config::Retain {
        bytes: Some(1),
        ..Default::default()
    };
    let collector = Collector::keeping(&engine, retain).await;
    let mut agent = collector.agent("n1").await;
    agent.send_batch(vec![event("n1", 1)]).await;
    agent.acknowledged().await;
    eventually("nothing", async || {
        let listed = list(&collector).await;
        (listed.cursor == 1 && listed.anomalies.is_empty()).then_some(())
    })
    .await;
    let gone = eventually("its end", async || {
        get(&collector, &event("n1", 1).anomaly_id).await.err()
    })
    .await;
    assert_eq!(gone.code(), Code::NotFound, "{gone}");
    collector.stop().await;
}

#[tokio::test]
async fn what_is_unknown_or_makes_no_sense_is_refused() {
    let collector = Collector::start(&Engine::Sqlite).await;
    let id = publish(&collector).await;
    let noted = v1::TriageKind::Noted;
    for (id, kind, note, code) in [
        ("nobody's", noted, "a", Code::NotFound),
        (&id, noted, " ", Code::InvalidArgument),
        (&id, v1::TriageKind::Unspecified, "", Code::InvalidArgument),
    ] {
        let said = triage(&collector, id, kind, note).await.unwrap_err();
        assert_eq!(said.code(), code, "{said}");
    }
    let huge = v1::ListAnomaliesRequest {
        page_size: 1001,
        ..Default::default()
    };
    let said = client(&collector).await.list(huge).await.unwrap_err();
    assert_eq!(said.code(), Code::InvalidArgument, "{said}");
    assert_eq!(collector.log().await.len(), 3, "nothing was raised");
    collector.stop().await;
}
