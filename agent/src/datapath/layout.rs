//! The layout of pinned maps, as a text beside them, so that an agent of another version finds what it knows there.

use std::{
    fmt, fs, io,
    ops::Range,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    str::FromStr,
};

use agent_common::{BUCKETS, HASHES, Holds, RINGS, SEED_OFFSET, SLOT_FIELDS, Slot};

/// A bpffs holds no files; the target of a link is a text.
const NAME: &str = "layout";
const WORD: usize = 8;

/// Where everything lies in the maps of one version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Layout {
    /// Equal where hashes come to the same, and so on.
    pub(super) hashes: u64,
    pub(super) buckets: u64,
    pub(super) rings: u64,
    /// Words of a slot.
    pub(super) slot: usize,
    /// The word of the settings that is the seed.
    pub(super) seed: usize,
    fields: Vec<(String, Range<usize>)>,
}

/// Words that two layouts have in common.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Shared {
    pub(super) from: Range<usize>,
    pub(super) to: Range<usize>,
    pub(super) holds: Holds,
}

/// The text says something else.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no layout")]
pub(super) struct NoLayout(String);

impl Layout {
    /// That of this version.
    pub(super) fn own() -> Self {
        let words = |offset: usize, size: usize| offset / WORD..(offset + size) / WORD;
        let fields = SLOT_FIELDS.iter();
        let fields = fields.map(|it| (it.name.to_owned(), words(it.offset, it.size)));
        Self {
            hashes: HASHES,
            buckets: BUCKETS,
            rings: RINGS,
            slot: size_of::<Slot>() / WORD,
            seed: SEED_OFFSET / WORD,
            fields: fields.collect(),
        }
    }

    /// Says it in a directory, if that is not done yet.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        match symlink(self.to_string(), path(directory)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            written => written,
        }
    }

    /// What was said there.
    pub(super) fn read(directory: &Path) -> io::Result<Self> {
        let text = fs::read_link(path(directory))?;
        let text = text.to_string_lossy();
        text.parse().map_err(io::Error::other)
    }

    pub(super) fn field(&self, name: &str) -> Option<Range<usize>> {
        let mut fields = self.fields.iter();
        fields.find(|it| it.0 == name).map(|it| it.1.clone())
    }

    /// What a slot of this version takes of one of `from`.
    pub(super) fn shared(&self, from: &Self) -> Vec<Shared> {
        let fields = SLOT_FIELDS.iter().filter(|it| it.holds != Holds::Own);
        let shared = fields.filter_map(|field| {
            let (from, to) = (from.field(field.name)?, self.field(field.name)?);
            // Classes and counters are added at the end.
            let fits = from.len() == to.len() || field.holds == Holds::Counts;
            let holds = field.holds;
            fits.then_some(Shared { from, to, holds })
        });
        shared.collect()
    }

    /// Fields of `from` that are not as they are here, and so are not taken.
    pub(super) fn strange<'a>(&self, from: &'a Self) -> Vec<&'a str> {
        let fields = from.fields.iter().map(|(name, _)| name.as_str());
        let is_strange = |name: &&str| match SLOT_FIELDS.iter().find(|it| it.name == *name) {
            Some(known) if matches!(known.holds, Holds::Own | Holds::Counts) => false,
            _ => self.field(name).map(|it| it.len()) != from.field(name).map(|it| it.len()),
        };
        fields.filter(is_strange).collect()
    }
}

fn path(directory: &Path) -> PathBuf {
    directory.join(NAME)
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            hashes,
            buckets,
            rings,
            slot,
            seed,
            fields,
        } = self;
        write!(f, "{hashes:x} {buckets:x} {rings:x} {slot} {seed}")?;
        for (name, words) in fields {
            write!(f, " {name}={}+{}", words.start, words.len())?;
        }
        Ok(())
    }
}

impl FromStr for Layout {
    type Err = NoLayout;

    fn from_str(text: &str) -> Result<Self, NoLayout> {
        read(text).ok_or_else(|| NoLayout(text.chars().take(80).collect()))
    }
}

fn read(text: &str) -> Option<Layout> {
    let mut words = text.split(' ');
    let mut number = |radix| u64::from_str_radix(words.next()?, radix).ok();
    let [hashes, buckets, rings] = [number(16)?, number(16)?, number(16)?];
    let [slot, seed] = [number(10)?, number(10)?].map(|it| usize::try_from(it).ok());
    let slot = slot.filter(|slot| *slot > 0)?;
    let fields = words.map(|field| {
        let (name, place) = field.split_once('=')?;
        let (start, length) = place.split_once('+')?;
        let (start, length): (usize, usize) = (start.parse().ok()?, length.parse().ok()?);
        let end = start.checked_add(length).filter(|end| *end <= slot)?;
        Some((name.to_owned(), start..end))
    });
    Some(Layout {
        hashes,
        buckets,
        rings,
        slot,
        seed: seed?,
        fields: fields.collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_again_and_has_room_where_it_is_said() {
        let own = Layout::own();
        let text = own.to_string();
        assert!(text.len() < 4096, "{} bytes, for a path", text.len());
        assert_eq!(text.parse::<Layout>().unwrap(), own);
        let carried = SLOT_FIELDS.iter().filter(|it| it.holds != Holds::Own);
        assert_eq!(own.shared(&own).len(), carried.count());
        assert!(own.strange(&own).is_empty());
    }

    #[test]
    fn a_text_that_says_something_else_is_no_layout() {
        let long = Layout::own()
            .to_string()
            .replace("lease_ns=4+1", "lease_ns=7973+1");
        for text in [
            "",
            "1 2 3",
            "1 2 3 0 3",
            "x 2 3 4 3",
            "1 2 3 4 3 a",
            "1 2 3 4 3 a=4+1",
            "1 2 3 4 3 a=1-1",
            &long,
        ] {
            assert!(text.parse::<Layout>().is_err(), "{text}");
        }
    }

    #[test]
    fn another_version_shares_what_bears_the_same_name() {
        let other: Layout =
            "1 2 3 30 3 epoch=0+1 lease_ns=1+1 counters=2+20 refused=22+2 of_tomorrow=24+6"
                .parse()
                .unwrap();
        let own = Layout::own();
        let shared = own.shared(&other);
        let froms: Vec<_> = shared.iter().map(|it| it.from.clone()).collect();
        assert_eq!(froms, [1..2, 2..22]);
        assert_eq!(own.strange(&other), ["refused", "of_tomorrow"]);
    }
}
