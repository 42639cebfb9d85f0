//! Names that many anomalies share, each kept once.

use std::{collections::HashMap, sync::Arc};

/// Stands for a name while somebody uses it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Name(u32);

impl Name {
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// All names in use.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_text: HashMap<Arc<str>, Name>,
    slots: Vec<Slot>,
    free: Vec<Name>,
}

#[derive(Debug)]
struct Slot {
    text: Arc<str>,
    uses: u32,
}

impl Names {
    /// One more use of the name.
    pub(super) fn take(&mut self, text: &str) -> Name {
        if let Some(&name) = self.by_text.get(text) {
            self.slots[name.index()].uses += 1;
            return name;
        }
        let text: Arc<str> = text.into();
        let slot = Slot {
            text: Arc::clone(&text),
            uses: 1,
        };
        let name = match self.free.pop() {
            Some(name) => {
                self.slots[name.index()] = slot;
                name
            }
            None => {
                // There are never more than uses, whose number is bounded.
                let name = Name(u32::try_from(self.slots.len()).unwrap_or(u32::MAX));
                self.slots.push(slot);
                name
            }
        };
        self.by_text.insert(text, name);
        name
    }

    /// One use less.
    pub(super) fn release(&mut self, name: Name) {
        let slot = &mut self.slots[name.index()];
        slot.uses -= 1;
        if slot.uses == 0 {
            let text = std::mem::replace(&mut slot.text, Arc::from(""));
            self.by_text.remove(&text);
            self.free.push(name);
        }
    }

    pub(super) fn find(&self, text: &str) -> Option<Name> {
        self.by_text.get(text).copied()
    }

    pub(super) fn text(&self, name: Name) -> &str {
        &self.slots[name.index()].text
    }

    /// The name of this index; none is in use there when it is empty.
    pub(super) fn text_at(&self, index: usize) -> &str {
        &self.slots[index].text
    }

    /// More than any index.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once_and_only_while_it_is_used() {
        let mut names = Names::default();
        let (a, b) = (names.take("a"), names.take("b"));
        assert_eq!(names.take("a"), a);
        names.release(a);
        assert_eq!(names.find("a"), Some(a));
        names.release(a);
        assert_eq!(names.find("a"), None);
        let c = names.take("c");
        assert_eq!((c, names.text(c), names.text(b)), (a, "c", "b"));
        assert_eq!(names.len(), 2, "the room was used again");
    }
}
