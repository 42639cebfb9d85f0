//! Cuts what is too long for one message.

use prost::Message;

/// Of one message, so that whoever takes four megabytes, as gRPC does by itself, takes it.
const BYTES: usize = 1 << 20;

/// Parts of the whole in its order, each with whether there is more; one when it is empty.
#[must_use]
pub fn parts<M: Message>(whole: Vec<M>) -> Vec<(Vec<M>, bool)> {
    let mut parts = vec![Vec::new()];
    let mut bytes = 0;
    for message in whole {
        bytes += message.encoded_len();
        if bytes > BYTES && parts.last().is_some_and(|part: &Vec<M>| !part.is_empty()) {
            bytes = message.encoded_len();
            parts.push(Vec::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(message);
        }
    }
    let last = parts.len() - 1;
    let parts = parts.into_iter().enumerate();
    parts.map(|(index, part)| (part, index < last)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::ServiceName;

    #[test]
    fn parts_are_small_enough_in_order_and_say_whether_there_is_more() {
        let name = |bytes: usize| ServiceName {
            name: "n".repeat(bytes),
            ..ServiceName::default()
        };
        for (whole, expected) in [
            (vec![], vec![(0, false)]),
            (vec![1, 2], vec![(2, false)]),
            (vec![BYTES - 10, 5, 100, 7], vec![(1, true), (3, false)]),
            (vec![3 * BYTES, 1], vec![(1, true), (1, false)]),
        ] {
            let messages = whole.iter().map(|bytes| name(*bytes)).collect();
            let parts = parts(messages);
            let told: Vec<_> = parts
                .iter()
                .map(|(part, more)| (part.len(), *more))
                .collect();
            assert_eq!(told, expected, "{whole:?}");
            let order = parts
                .iter()
                .flat_map(|(part, _)| part.iter().map(|it| it.name.len()));
            assert_eq!(order.collect::<Vec<_>>(), whole);
        }
    }
}
