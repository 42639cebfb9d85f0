//! Opening without reading it all: names, seals, and the segments that were never sealed.

use std::sync::Arc;

use api::encoding;

use super::{
    super::{
        disk::{Disk, Failure},
        ledger::{DRAFT, Ledger, NAME, Position},
        loss::moment,
        reader::Reader,
        record::{Parsed, parse},
        segment::{SEAL_BYTES, Segment},
    },
    Chain, Journal, Limits, Repair,
};

/// No ledger that an agent wrote is longer.
const MOST_LEDGER_BYTES: u64 = 16 * 1024 * 1024;

impl Journal {
    /// Opens what is on the disk. What must be put right is written later, by the first append.
    pub(in super::super) fn open(disk: Arc<dyn Disk>, limits: Limits) -> Result<Self, Failure> {
        let files = disk.list().map_err(Failure::of("list", "the files"))?;
        let mut journal = Self::empty(disk, limits);
        if let Some((_, bytes)) = files.iter().find(|(name, _)| name == NAME) {
            journal.read_ledger(*bytes)?;
        }
        if files.iter().any(|(name, _)| name == DRAFT) {
            journal.repairs.push(Repair::Remove(DRAFT.into()));
        }
        // A name that no agent gave is nothing of ours.
        let removing = &mut journal.ledger.removing;
        removing.retain(|name| Segment::named(name).is_some());
        for (name, bytes) in files {
            let is_going = journal.ledger.removing.contains(&name);
            if let Some(segment) = Segment::named(&name).filter(|_| !is_going) {
                let chain = &mut journal.chains[segment.level.index()];
                chain.segments.push(Segment { bytes, ..segment });
            }
        }
        let is_ledger_damaged = journal.damaged > 0;
        for index in 0..journal.chains.len() {
            journal.open_chain(index)?;
        }
        if is_ledger_damaged {
            // Whatever is there may have been sent.
            journal.sent = Position::at(journal.newest_epoch(), u64::MAX);
        }
        Ok(journal)
    }

    fn read_ledger(&mut self, bytes: u64) -> Result<(), Failure> {
        let length = usize::try_from(bytes.min(MOST_LEDGER_BYTES)).unwrap_or(0);
        let mut buffer = vec![0; length];
        let read = self
            .disk
            .read(NAME, 0, &mut buffer)
            .map_err(Failure::of("read", NAME))?;
        let (ledger, damaged) = Ledger::read(self.limits.most_gaps(), &buffer[..read]);
        self.ledger = ledger;
        self.damaged += damaged;
        self.sent = self.ledger.sent;
        Ok(())
    }

    fn open_chain(&mut self, index: usize) -> Result<(), Failure> {
        let Chain { mut segments, .. } = std::mem::take(&mut self.chains[index]);
        segments.sort_by_key(|segment| (segment.epoch, segment.start, segment.generation));
        // Of a rewritten segment that the ledger does not know of, the one before it counts.
        segments.dedup_by(|later, first| {
            let same = (later.epoch, later.start) == (first.epoch, first.start);
            if same {
                self.repairs.push(Repair::Remove(later.name()));
            }
            same
        });
        let mut opened = Vec::new();
        let mut rest = segments.into_iter().peekable();
        while let Some(mut segment) = rest.next() {
            let next = rest.peek().filter(|next| next.epoch == segment.epoch);
            let before = next.map_or(u64::MAX, |next| next.start);
            let file_bytes = segment.bytes;
            if !self.unseal(&mut segment)? || segment.last >= before {
                self.scan(&mut segment, before)?;
            }
            if segment.events == 0 {
                self.repairs.push(Repair::Remove(segment.name()));
                continue;
            }
            if segment.bytes < file_bytes {
                let repair = Repair::Truncate(segment.name(), segment.bytes);
                self.repairs.push(repair);
            }
            opened.push(segment);
        }
        self.chains[index].segments = opened;
        Ok(())
    }

    fn unseal(&self, segment: &mut Segment) -> Result<bool, Failure> {
        let Some(at) = segment.bytes.checked_sub(SEAL_BYTES as u64) else {
            return Ok(false);
        };
        let name = segment.name();
        let mut end = [0; SEAL_BYTES];
        self.disk
            .read(&name, at, &mut end)
            .map_err(Failure::of("read", &name))?;
        let file_bytes = segment.bytes;
        Ok(match parse(&end) {
            Parsed::Record(seal, SEAL_BYTES) => segment.unseal(&seal, file_bytes),
            _ => false,
        })
    }

    /// Reads a segment that nobody sealed; what is behind its last event was not synced. Events from
    /// `before` on are in the next one, because they could not be synced here.
    fn scan(&mut self, segment: &mut Segment, before: u64) -> Result<(), Failure> {
        let mut found = Segment::new(segment.level, segment.epoch, segment.start);
        found.generation = segment.generation;
        let mut reader = Reader::new(Arc::clone(&self.disk), segment, 0);
        while let Some(stored) = reader.next()? {
            if stored.sequence >= before {
                break;
            }
            let raised = encoding::decode(&stored.payload).ok();
            let raised = raised.as_ref().and_then(moment);
            found.add(stored.sequence, 0, raised);
            found.bytes = stored.end;
        }
        *segment = found;
        Ok(())
    }
}
