//! What the version before said means the same today: no number is used twice, and nothing changed its kind.
#![expect(
    clippy::unwrap_used,
    reason = "all of this is tests, not only the functions that say so"
)]

use std::collections::BTreeMap;

use api::v1;
use prost::Message as _;
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet};

const FORMER: &[u8] = include_bytes!("../src/generated/former/descriptors.bin");

/// What is spoken, by its full name: fields and values by number, methods by name.
#[derive(Default)]
struct Language {
    fields: BTreeMap<(String, i32), String>,
    values: BTreeMap<(String, i32), String>,
    methods: BTreeMap<String, String>,
    reserved: Vec<(String, i32, i32)>,
}

impl Language {
    fn read(descriptors: &[u8]) -> Self {
        let mut language = Self::default();
        for file in FileDescriptorSet::decode(descriptors).unwrap().file {
            for message in &file.message_type {
                language.message(file.package(), message);
            }
            for values in &file.enum_type {
                language.enumeration(file.package(), values);
            }
            for service in &file.service {
                for method in &service.method {
                    let streams = [method.client_streaming(), method.server_streaming()];
                    language.methods.insert(
                        format!("{}/{}", service.name(), method.name()),
                        format!(
                            "{} {} {streams:?}",
                            method.input_type(),
                            method.output_type()
                        ),
                    );
                }
            }
        }
        language
    }

    fn message(&mut self, within: &str, message: &DescriptorProto) {
        let name = format!("{within}.{}", message.name());
        for field in &message.field {
            let kind = format!(
                "{} {:?} {:?} {}",
                field.name(),
                field.label(),
                field.r#type(),
                field.type_name()
            );
            self.fields.insert((name.clone(), field.number()), kind);
        }
        for range in &message.reserved_range {
            let range = (name.clone(), range.start(), range.end());
            self.reserved.push(range);
        }
        for nested in &message.nested_type {
            self.message(&name, nested);
        }
        for values in &message.enum_type {
            self.enumeration(&name, values);
        }
    }

    fn enumeration(&mut self, within: &str, values: &EnumDescriptorProto) {
        let name = format!("{within}.{}", values.name());
        for value in &values.value {
            let key = (name.clone(), value.number());
            self.values.insert(key, value.name().to_owned());
        }
    }

    fn is_reserved(&self, (name, number): &(String, i32)) -> bool {
        let mut reserved = self.reserved.iter();
        reserved.any(|(of, start, end)| of == name && (start..end).contains(&number))
    }
}

#[test]
fn no_number_of_the_version_before_means_anything_else_today() {
    let (former, today) = (
        Language::read(FORMER),
        Language::read(api::FILE_DESCRIPTOR_SET),
    );
    assert!(former.fields.len() > 100 && former.methods.len() > 4);
    for (key, kind) in &former.fields {
        let is_let_go = today.is_reserved(key) && !today.fields.contains_key(key);
        assert!(is_let_go || today.fields.get(key) == Some(kind), "{key:?}");
    }
    for (key, name) in &former.values {
        assert_eq!(today.values.get(key), Some(name), "{key:?}");
    }
    for (name, kind) in &former.methods {
        assert_eq!(today.methods.get(name), Some(kind), "{name}");
    }
}

/// Field 99, of which nobody knows what it is, of two bytes; beside it what is known is read.
#[test]
fn what_is_not_known_is_passed_over() {
    let unknown: &[u8] = &[0x9a, 0x06, 2, 8, 1];
    assert_eq!(v1::PublishRequest::decode(unknown).unwrap().item, None);
    assert_eq!(v1::PublishResponse::decode(unknown).unwrap().item, None);
    let event = v1::Event {
        severity: 99,
        detector: "of_tomorrow".into(),
        ..v1::Event::default()
    };
    let read = v1::Event::decode(&[&event.encode_to_vec(), unknown].concat()[..]).unwrap();
    assert_eq!(read, event);
}
