//! Whose event or gap it is.

use api::v1;

/// Why an id is none that the agent of a stream may have given.
#[derive(Debug, thiserror::Error)]
pub(super) enum IdFault {
    #[error("it has no id")]
    Missing,
    #[error("its id names node `{id}`, but the stream's hello named `{hello}`")]
    Node { id: String, hello: String },
    #[error("its id names epoch {id}, but the stream's hello named {hello}")]
    Epoch { id: u64, hello: u64 },
    #[error("its sequence {0} is not between 1 and 2^63 - 1")]
    Sequence(u64),
}

/// The sequence of what the agent of this stream raised.
pub(super) fn sequence(id: Option<&v1::EventId>, hello: &v1::Hello) -> Result<u64, IdFault> {
    let id = id.ok_or(IdFault::Missing)?;
    if id.node != hello.node {
        return Err(IdFault::Node {
            id: id.node.clone(),
            hello: hello.node.clone(),
        });
    }
    if id.epoch != hello.epoch {
        return Err(IdFault::Epoch {
            id: id.epoch,
            hello: hello.epoch,
        });
    }
    if id.sequence == 0 || i64::try_from(id.sequence).is_err() {
        return Err(IdFault::Sequence(id.sequence));
    }
    Ok(id.sequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_the_node_and_epoch_that_said_hello() {
        let hello = v1::Hello {
            node: "n1".into(),
            epoch: 5,
            version: String::new(),
            ..Default::default()
        };
        let id = |node: &str, epoch, sequence| v1::EventId {
            node: node.into(),
            epoch,
            sequence,
        };
        let largest = u64::MAX >> 1;
        assert_eq!(
            sequence(Some(&id("n1", 5, largest)), &hello).ok(),
            Some(largest)
        );
        for (id, expected) in [
            (None, "it has no id"),
            (
                Some(id("n2", 5, 1)),
                "names node `n2`, but the stream's hello named `n1`",
            ),
            (Some(id("n1", 6, 1)), "its id names epoch 6"),
            (Some(id("n1", 5, 0)), "its sequence 0 is not"),
            (
                Some(id("n1", 5, largest + 1)),
                "its sequence 9223372036854775808 is not",
            ),
        ] {
            let fault = sequence(id.as_ref(), &hello).unwrap_err().to_string();
            assert!(fault.contains(expected), "{fault} is not {expected}");
        }
    }
}
