//! A label of a pod.

use std::{collections::BTreeMap, str::FromStr};

#[derive(Clone, Debug)]
pub(super) struct Label {
    pub(super) name: String,
    pub(super) value: String,
}

impl FromStr for Label {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let takes = "it takes the name and the value of a label, such as app=shop";
        let (name, value) = text.split_once('=').ok_or(takes)?;
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl Label {
    pub(super) fn is_of(&self, labels: &BTreeMap<String, String>) -> bool {
        labels.get(&self.name) == Some(&self.value)
    }
}
