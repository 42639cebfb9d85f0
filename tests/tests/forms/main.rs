//! Whatever happens, each form of it is what its readers' published schemas want: events of every detector and step, and
//! names of the worst kind.

mod samples;

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use collector::forms::Form;
use serde_json::{Value, json};
use tests::cached;

/// A document, and what it is of.
#[derive(Clone, Debug)]
struct Document {
    of: String,
    form: Form,
    text: String,
}

fn documents() -> Result<Vec<Document>> {
    let mut documents = Vec::new();
    for form in Form::ALL {
        for (of, event) in samples::events() {
            let text = form.event(&event)?;
            documents.push(Document { of, form, text });
        }
        for (of, gap) in samples::gaps() {
            let text = form.gap(&gap)?;
            documents.push(Document { of, form, text });
        }
    }
    Ok(documents)
}

/// What the schemas have against each of them.
fn faults(documents: &[Document]) -> Result<Vec<Vec<String>>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/forms/validate.py");
    let mut python = Command::new(cached("tools/forms/bin/python")?)
        .arg(script)
        .arg(cached("tools/forms/ecs.json")?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut tasks = String::new();
    for it in documents {
        let form = format!("{:?}", it.form).to_lowercase();
        tasks += &format!("{}\n", json!({"form": form, "document": it.text}));
    }
    let mut input = python.stdin.take().context("its input is a pipe")?;
    let writer = std::thread::spawn(move || input.write_all(tasks.as_bytes()));
    let output = python.wait_with_output()?;
    writer.join().ok().context("who writes its input fails")??;
    ensure!(output.status.success(), "it ends with {}", output.status);
    let lines = output.stdout.split(|it| *it == b'\n');
    let lines = lines.filter(|it| !it.is_empty());
    let faults = lines.map(|it| Ok(serde_json::from_slice(it)?));
    let faults = faults.collect::<Result<Vec<Vec<String>>>>()?;
    ensure!(
        faults.len() == documents.len(),
        "it answers {}",
        faults.len()
    );
    Ok(faults)
}

#[test]
fn every_form_of_every_event_is_what_its_schema_wants() -> Result<()> {
    let documents = documents()?;
    ensure!(documents.len() > 2000, "only {}", documents.len());
    let faults = faults(&documents)?;
    let wrong: Vec<_> = documents
        .iter()
        .zip(&faults)
        .filter(|(_, faults)| !faults.is_empty())
        .map(|(it, faults)| format!("{:?} of {}: {faults:?}\n{}", it.form, it.of, it.text))
        .collect();
    ensure!(
        wrong.is_empty(),
        "{} of {} are wrong, such as\n{}",
        wrong.len(),
        documents.len(),
        wrong.iter().take(8).cloned().collect::<Vec<_>>().join("\n")
    );
    Ok(())
}

/// Otherwise it would prove nothing that there are none.
#[test]
fn every_wrong_document_is_found_out() -> Result<()> {
    let (_, event) = samples::events().swap_remove(0);
    let json = |form: Form, spoil: fn(&mut Value)| -> Result<(Form, String)> {
        let mut document = serde_json::from_str(&form.event(&event)?)?;
        spoil(&mut document);
        Ok((form, document.to_string()))
    };
    let cef = Form::Cef.event(&event)?;
    let cases = [
        (
            json(Form::Ocsf, |it| it["severity_id"] = json!(7))?,
            "severity_id",
        ),
        (
            json(Form::Ocsf, |it| it["class_uid"] = json!(2002))?,
            "type_uid",
        ),
        (json(Form::Ocsf, |it| it["time"] = json!("now"))?, "$.time"),
        (
            json(Form::Ocsf, |it| it["pod"] = json!("app1"))?,
            "'pod' was unexpected",
        ),
        (
            json(Form::Ocsf, |it| it["disposition_id"] = json!(4))?,
            "'disposition_id' was unexpected",
        ),
        (
            json(Form::Ocsf, |it| it["finding_info"]["uid"] = Value::Null)?,
            "finding_info.uid",
        ),
        (
            json(Form::Ocsf, |it| {
                it["evidences"][0]["dst_endpoint"]["ip"] = json!("app1")
            })?,
            "does not match",
        ),
        (
            json(Form::Ocsf, |it| {
                it["observables"][0]["value"] = json!("10.9.9.9")
            })?,
            "evidences[0].src_endpoint.ip",
        ),
        (
            json(Form::Ecs, |it| it["event"]["kind"] = json!("alarm"))?,
            "event.kind",
        ),
        (
            json(Form::Ecs, |it| it["event"]["type"] = json!(["creation"]))?,
            "is not expected",
        ),
        (
            json(Form::Ecs, |it| it["event"]["category"] = json!("network"))?,
            "is no list",
        ),
        (
            json(Form::Ecs, |it| it["source"]["ip"] = json!("app1"))?,
            "source.ip",
        ),
        (
            json(Form::Ecs, |it| it["source"]["pod"] = json!("app1"))?,
            "source.pod is no field",
        ),
        (
            json(Form::Ecs, |it| it["@timestamp"] = Value::Null)?,
            "@timestamp",
        ),
        (
            json(Form::Ecs, |it| it["ecs"] = json!({}))?,
            "ecs.version is missing",
        ),
        (json(Form::CloudEvents, |it| it["id"] = json!(""))?, "id"),
        (
            json(Form::CloudEvents, |it| it["time"] = json!("now"))?,
            "time",
        ),
        (
            json(Form::CloudEvents, |it| it["Pod"] = json!("app1"))?,
            "Pod",
        ),
        (
            json(Form::CloudEvents, |it| it["subject"] = json!("a\nb"))?,
            "subject",
        ),
        (
            json(Form::Falco, |it| it["priority"] = json!("High"))?,
            "priority",
        ),
        (json(Form::Falco, |it| it["output"] = json!(""))?, "output"),
        (
            json(Form::Falco, |it| it["output_fields"]["a"] = json!([]))?,
            "output_fields a",
        ),
        (json(Form::Json, |it| it["kind"] = json!("node"))?, "kind"),
        ((Form::Cef, cef.replace("msg=", "msg==")), "ill escaped"),
        (
            (Form::Cef, cef.replacen("Port scan", "Port|scan", 1)),
            "severity",
        ),
        (
            (Form::Cef, cef.replace("cs1Label=Namespace ", "")),
            "cs1 has no label",
        ),
        ((Form::Cef, format!("{cef}\n")), "more than one line"),
    ];
    let documents: Vec<_> = cases
        .iter()
        .map(|((form, text), expected)| Document {
            of: (*expected).into(),
            form: *form,
            text: text.clone(),
        })
        .collect();
    for (document, faults) in documents.iter().zip(faults(&documents)?) {
        let found = faults.iter().any(|it| it.contains(&document.of));
        ensure!(found, "{document:?} has {faults:?}");
    }
    Ok(())
}
