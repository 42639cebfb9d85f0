//! Anomalies that are open, at one place.

use api::v1;

/// Ids that are told, at most.
const TOLD: usize = 16;

/// What burns at one place. It is told the worst first.
#[derive(Clone, Debug, Default)]
pub(super) struct Heat(v1::Burning);

impl Heat {
    pub(super) fn add(&mut self, id: &str, severity: v1::Severity) {
        // One may reach several targets of one place.
        if self.0.anomalies.last().is_some_and(|last| last == id) {
            return;
        }
        self.0.open += 1;
        self.0.severity = self.0.severity.max(severity.into());
        if self.0.anomalies.len() < TOLD {
            self.0.anomalies.push(id.to_owned());
        }
    }

    pub(super) const fn burns(&self) -> bool {
        self.0.open > 0
    }

    pub(super) fn told(self) -> Option<v1::Burning> {
        self.burns().then_some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_bad_as_the_worst_and_tells_some() {
        let mut heat = Heat::default();
        heat.add("a", v1::Severity::High);
        heat.add("a", v1::Severity::High);
        for id in 0..20 {
            heat.add(&id.to_string(), v1::Severity::Low);
        }
        let told = heat.told().unwrap();
        assert_eq!((told.open, told.severity()), (21, v1::Severity::High));
        assert_eq!(told.anomalies.len(), TOLD);
        assert!(Heat::default().told().is_none());
    }
}
