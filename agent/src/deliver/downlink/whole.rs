//! Something that is told in parts, and known to others only as a whole.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// Whoever watches never sees some of it: a pod that is not told yet may be the one that has an address.
#[derive(Debug)]
pub struct Whole<T> {
    told: watch::Sender<T>,
    /// What is told so far, while there is more.
    partial: Mutex<Option<T>>,
}

impl<T: Default> Default for Whole<T> {
    /// Told to nobody.
    fn default() -> Self {
        watch::Sender::new(T::default()).into()
    }
}

impl<T> From<watch::Sender<T>> for Whole<T> {
    fn from(told: watch::Sender<T>) -> Self {
        Self {
            told,
            partial: Mutex::default(),
        }
    }
}

impl<T: Clone> Whole<T> {
    /// It is this now, or begins with this; whether that is the whole.
    pub(super) fn replace(&self, value: T, more: bool) -> bool {
        let mut partial = self.partial.lock().unwrap_or_else(PoisonError::into_inner);
        *partial = more.then(|| value.clone());
        if !more {
            self.told.send_replace(value);
        }
        !more
    }

    /// It became different.
    pub(super) fn change(&self, change: impl FnOnce(&mut T), more: bool) {
        let mut partial = self.partial.lock().unwrap_or_else(PoisonError::into_inner);
        match partial.take() {
            None if !more => self.told.send_modify(change),
            before => {
                let mut value = before.unwrap_or_else(|| self.told.borrow().clone());
                change(&mut value);
                if more {
                    *partial = Some(value);
                } else {
                    self.told.send_replace(value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sees_a_part() {
        let (told, mut seen) = watch::channel(vec![0]);
        let whole = Whole::from(told);
        for (part, more, expected) in [
            (1, false, Some(vec![0, 1])),
            (2, true, None),
            (3, true, None),
            (4, false, Some(vec![0, 1, 2, 3, 4])),
        ] {
            whole.change(|it| it.push(part), more);
            let is_told = seen.has_changed().unwrap();
            let now = is_told.then(|| seen.borrow_and_update().clone());
            assert_eq!(now, expected, "{part}");
        }
        assert!(!whole.replace(vec![5], true));
        assert_eq!(seen.borrow().len(), 5, "that of before");
        assert!(!whole.replace(vec![6], true), "another stream begins anew");
        whole.change(|it| it.push(7), false);
        assert_eq!(*seen.borrow_and_update(), [6, 7]);
        assert!(whole.replace(vec![8], false));
        assert_eq!(*seen.borrow(), [8]);
    }
}
