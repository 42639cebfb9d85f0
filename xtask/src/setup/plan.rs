//! A plan: what is missing, told before anything is done.

use anyhow::{Result, bail};

use crate::privilege;

/// One thing that is missing, and how it gets here.
pub(super) struct Step {
    pub(super) what: String,
    pub(super) needs_root: bool,
    pub(super) install: Box<dyn FnOnce() -> Result<()>>,
}

/// Says what `steps` are, and takes them.
///
/// # Errors
/// A step needs root and we are not: nothing is done then. Or a step fails.
pub(super) fn perform(steps: Vec<Step>, is_root: bool) -> Result<()> {
    if steps.is_empty() {
        eprintln!("setup: all is there");
        return Ok(());
    }
    eprintln!("setup: will install");
    for step in &steps {
        eprintln!("  {}", step.what);
    }
    if let Some(step) = steps.iter().find(|step| step.needs_root)
        && !is_root
    {
        bail!(
            "{}",
            privilege::refusal("setup", &format!("it installs {}", step.what))
        );
    }
    let count = steps.len();
    for (index, step) in steps.into_iter().enumerate() {
        eprintln!("setup: {} of {count}: {}", index + 1, step.what);
        (step.install)()?;
    }
    eprintln!("setup: done");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use super::*;

    fn steps(needs_root: bool) -> (Vec<Step>, Rc<Cell<u32>>) {
        let done = Rc::new(Cell::new(0));
        let steps = [false, needs_root].map(|needs_root| {
            let done = Rc::clone(&done);
            Step {
                what: "a thing".into(),
                needs_root,
                install: Box::new(move || {
                    done.set(done.get() + 1);
                    Ok(())
                }),
            }
        });
        (steps.into(), done)
    }

    #[test]
    fn nothing_is_installed_before_the_refusal_for_want_of_root() {
        let (planned, done) = steps(true);
        let error = perform(planned, false).unwrap_err().to_string();
        assert!(error.contains("needs root"), "{error}");
        assert_eq!(done.get(), 0);
    }

    #[test]
    fn every_step_is_taken() {
        for (needs_root, is_root) in [(true, true), (false, false)] {
            let (planned, done) = steps(needs_root);
            perform(planned, is_root).unwrap();
            assert_eq!(done.get(), 2);
        }
    }
}
