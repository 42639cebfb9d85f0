//! What `picket.v1.Detectors` answers, as JSON.

use crate::times;

form! {
    /// How the detectors of all nodes are set, and what they do.
    pub Detectors of ListDetectorsResponse as it {
        detectors: Vec<Detector<'a>> = it.detectors.iter().map(Detector::new).collect(),
        text: &'a str = &it.text,
        revision: &'a str = &it.revision,
        writable: bool = it.writable,
        not_writable: &'a str = &it.not_writable,
        exceptions: Vec<Exception<'a>> = it.exceptions.iter().map(Exception::new).collect(),
        scopes: Vec<Scope<'a>> = it.scopes.iter().map(Scope::new).collect(),
    }
}

form! {
    /// One detector.
    pub(super) Detector of Detector as it {
        id: &'a str = &it.id,
        about: &'a str = &it.about,
        mode: &'a str = &it.mode,
        thresholds: Vec<Threshold<'a>> = it.thresholds.iter().map(Threshold::new).collect(),
        of_collector: bool = it.of_collector,
        activity: Vec<Activity<'a>> = it.activity.iter().map(Activity::new).collect(),
    }
}

form! {
    /// What a detector holds a count against.
    pub(super) Threshold of Threshold as it {
        key: &'a str = &it.key,
        value: &'a str = &it.value,
        default: &'a str = &it.default,
        takes: &'a str = &it.takes,
    }
}

form! {
    /// Of one detector on one node.
    pub(super) Activity of DetectorActivity as it {
        node: &'a str = &it.node,
        open: u32 = it.open,
        last_raised_at: Option<String> = times::exact(it.last_raised_at),
    }
}

form! {
    /// What nobody is to be told of, and how often that was so.
    pub(super) Exception of ExceptionStatus as it {
        name: &'a str = &it.name,
        owner: &'a str = &it.owner,
        reason: &'a str = &it.reason,
        until: Option<String> = times::exact(it.until),
        expired: bool = it.expired,
        hits: u64 = it.hits,
    }
}

form! {
    /// Pods that are judged by settings of their own.
    pub(super) Scope of ScopeStatus as it {
        selector: &'a str = &it.selector,
        settings: &'a [String] = &it.settings,
    }
}

form! {
    /// What the time before now would have been with another policy.
    pub Preview of PreviewPolicyResponse as it {
        detectors: Vec<OfDetector<'a>> = it.detectors.iter().map(OfDetector::new).collect(),
        covers: Option<String> = it.covers.map(times::seconds),
    }
}

form! {
    /// The same of one detector.
    pub(super) OfDetector of DetectorPreview as it {
        id: &'a str = &it.id,
        raised: u32 = it.raised,
        kept: u32 = it.kept,
        gone: &'a [String] = &it.gone,
        at_least: bool = it.at_least,
    }
}

form! {
    /// What is in force from now on.
    pub Set of SetPolicyResponse as it {
        revision: &'a str = &it.revision,
    }
}
