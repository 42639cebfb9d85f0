//! A body that the configuration writes: a template of Jinja, tried out before it is used.

use std::fmt;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context, value::Serde};

use super::{
    entry::{id, sentence},
    sample,
};
use crate::store::Entry;

const NAME: &str = "template";

/// Steps that one rendering may take: a loop must not go on for ever.
const FUEL: u64 = 1_000_000;

/// A template that was tried out.
pub(super) struct Template {
    environment: Environment<'static>,
    gaps: bool,
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("gaps", &self.gaps)
            .finish_non_exhaustive()
    }
}

impl Template {
    /// In JSON each value is written as JSON, so that no name can break it.
    pub(super) fn new(text: String, json: bool) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(move |_| {
            if json {
                AutoEscape::Json
            } else {
                AutoEscape::None
            }
        });
        let added = environment.add_template_owned(NAME, text);
        added.map_err(|error| wrong(&error))?;
        let template = environment
            .get_template(NAME)
            .map_err(|error| wrong(&error))?;
        let gaps = template.undeclared_variables(false).contains("gap");
        let template = Self { environment, gaps };
        let mut samples = vec![sample::event()];
        if gaps {
            samples.push(sample::gap());
        }
        for sample in samples {
            let text = template.render(&sample)?;
            if json && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&text) {
                return Err(format!("the template makes no JSON: {error}: in {text}"));
            }
        }
        Ok(template)
    }

    /// Whether it says something of gaps.
    pub(super) const fn tells_gaps(&self) -> bool {
        self.gaps
    }

    pub(super) fn render(&self, entry: &Entry) -> Result<String, String> {
        let (event, gap) = match entry {
            Entry::Event(event) => (Some(api::json::Event::new(event)), None),
            Entry::Gap(gap) => (None, Some(api::json::Gap::new(gap))),
        };
        let context = context! {
            id => id(entry),
            summary => sentence(entry),
            event => event.map(|it| Value::from(Serde(it))),
            gap => gap.map(|it| Value::from(Serde(it))),
        };
        let template = self
            .environment
            .get_template(NAME)
            .map_err(|error| wrong(&error))?;
        template.render(context).map_err(|error| wrong(&error))
    }
}

fn wrong(error: &minijinja::Error) -> String {
    let place = error
        .line()
        .map(|line| format!("line {line} of the template: "))
        .unwrap_or_default();
    let detail = error
        .detail()
        .map(|it| format!(": {it}"))
        .unwrap_or_default();
    format!("{place}{}{detail}", error.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str, json: bool) -> Result<String, String> {
        Template::new(text.into(), json)?.render(&sample::event())
    }

    #[test]
    fn a_name_cannot_break_the_json_that_a_template_writes() {
        let mut hostile = sample::event();
        let Entry::Event(event) = &mut hostile else {
            panic!("no event");
        };
        event.summary = "\", \"admin\": \"yes\n".into();
        let template = Template::new("{\"text\": {{ summary }}}".into(), true).unwrap();
        let text = template.render(&hostile).unwrap();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["text"], "\", \"admin\": \"yes\n");
        assert_eq!(read.as_object().unwrap().len(), 1);
    }

    #[test]
    fn what_is_wrong_with_a_template_is_told_with_its_line() {
        for (text, json, words) in [
            ("a\n{{ event.sumary }}", false, "line 2"),
            ("{{ nothing }}", false, "undefined"),
            ("{% if %}", false, "line 1"),
            ("{{ summary | shout }}", false, "shout"),
            (
                "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}",
                false,
                "fuel",
            ),
            ("{\"text\": {{ summary }}", true, "no JSON"),
        ] {
            let error = render(text, json).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        let text = render(
            "{{ event.severity }} {{ event.source.pod }} {{ id }}",
            false,
        );
        assert_eq!(text.unwrap(), "low web-0 node-1/1767225600000000000/1");
        assert!(
            !Template::new("{{ summary }}".into(), false)
                .unwrap()
                .tells_gaps()
        );
    }
}
