//! The compiled programs: loaded, attached, and their maps handed out.

use std::{
    fmt, io,
    os::fd::{AsFd, BorrowedFd},
    path::{Path, PathBuf},
};

use agent_common::{
    Direction, FROM_POD_PROGRAM, SAMPLES_BYTES, SAMPLES_MAP, SEED_GLOBAL, SLOTS_MAP, TO_POD_PROGRAM,
};
use aya::{
    Ebpf, EbpfError, EbpfLoader,
    maps::{Map, MapData, MapError, PerCpuArray, RingBuf},
    pin::PinError,
    programs::{ProgramError, SchedClassifier},
};
use aya_log::{EbpfLogger, Level};

use super::{
    inject::Injector,
    pins::{PINNED_MAPS, Pins},
    side::{DIRECTIONS, program_name},
};

static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/picket-programs.o"));

/// What the programs may log; nothing by default.
pub type KernelLog = Option<log::Level>;

/// Why the programs are not loaded.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// No right to.
    #[error(
        "loading the BPF programs is not permitted: run as root, or with the capabilities BPF, \
         PERFMON and NET_ADMIN (in a container also check its seccomp profile)"
    )]
    NotPermitted(#[source] io::Error),
    /// The kernel has no BPF.
    #[error("this kernel has no BPF: it needs CONFIG_BPF_SYSCALL and CONFIG_NET_CLS_BPF")]
    NoBpf(#[source] io::Error),
    /// Not enough memory for the maps.
    #[error(
        "there is no memory for the BPF maps of {slots} slots ({bytes} bytes): raise the memory \
         limit or lower --slots"
    )]
    NoMemory {
        /// How many slots were asked for.
        slots: u32,
        /// What they take.
        bytes: u64,
        /// What the kernel said.
        source: io::Error,
    },
    /// The object does not load.
    #[error("cannot load the BPF programs: {0}; please report it with the kernel's version")]
    Load(#[source] Box<EbpfError>),
    /// The verifier or the kernel refused a program.
    #[error(
        "the kernel refused program {name}: {source}; please report it with the kernel's version"
    )]
    Program {
        /// Which one.
        name: &'static str,
        /// Why.
        source: Box<ProgramError>,
    },
    /// The object lacks something.
    #[error(
        "the BPF object has no {name}: it is not of this version, run `cargo xtask build-ebpf`"
    )]
    Missing {
        /// What it lacks.
        name: &'static str,
    },
    /// A map is not of the kind it should be.
    #[error("map {name} cannot be used: {source}; run `cargo xtask build-ebpf`")]
    Map {
        /// The map.
        name: &'static str,
        /// Why.
        source: Box<MapError>,
    },
    /// A program is not pinned.
    #[error("cannot pin program {name} at {}: {source}; check --pin", path.display())]
    Pin {
        /// Which one.
        name: &'static str,
        /// Where.
        path: PathBuf,
        /// What the kernel said.
        source: PinError,
    },
    /// No random seed.
    #[error("cannot get a random seed: {0}")]
    Seed(#[source] io::Error),
}

/// The loaded programs.
pub(super) struct Programs {
    ebpf: Ebpf,
    log: Option<EbpfLogger<&'static dyn log::Log>>,
    ids: [u32; Direction::COUNT],
    /// What the programs hash with.
    pub(super) seed: u64,
}

/// An array map, for as long as it takes to map it.
pub(super) struct ArrayMap {
    data: MapData,
    pub(super) bytes: usize,
}

impl ArrayMap {
    fn of(data: MapData, name: &'static str) -> Result<Self, ObjectError> {
        let info = data.info().map_err(|error| unusable(name, error))?;
        let bytes = info.max_entries() as usize * (info.value_size() as usize).next_multiple_of(8);
        Ok(Self { data, bytes })
    }

    pub(super) fn pinned(path: &Path, name: &'static str) -> Result<Self, ObjectError> {
        let data = MapData::from_pin(path).map_err(|error| unusable(name, error))?;
        Self::of(data, name)
    }
}

impl AsFd for ArrayMap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.data.fd().as_fd()
    }
}

impl Programs {
    /// Loads the programs, on the maps that are pinned where there are any; those go with their `seed`, and
    /// without one there is a new secret one.
    pub(super) fn load(
        slots: u32,
        kernel_log: &KernelLog,
        pins: Option<&Pins>,
        seed: Option<u64>,
    ) -> Result<Self, ObjectError> {
        let seed = seed.map_or_else(random_seed, Ok)?;
        let level = kernel_log.map_or(0, level_byte);
        let mut loader = EbpfLoader::new();
        loader
            .map_max_entries(SLOTS_MAP, slots)
            .map_max_entries(SAMPLES_MAP, SAMPLES_BYTES)
            .map_max_entries(LOG_MAP, log_bytes(kernel_log))
            .override_global(SEED_GLOBAL, &seed, true)
            .override_global(aya_log::LEVEL, &level, true);
        for (name, pins) in PINNED_MAPS.into_iter().zip(pins.into_iter().cycle()) {
            loader.map_pin_path(name, pins.map(name));
        }
        let mut ebpf = loader
            .load(OBJECT)
            .map_err(|error| refused_object(error, slots))?;
        let mut ids = [0; Direction::COUNT];
        for direction in DIRECTIONS {
            let name = program_name(direction);
            let program = program(&mut ebpf, name)?;
            program
                .load()
                .map_err(|error| refused_program(error, name))?;
            let info = program
                .info()
                .map_err(|error| refused_program(error, name))?;
            ids[direction as usize] = info.id();
        }
        let log = kernel_log.and_then(|_| match EbpfLogger::init(&mut ebpf) {
            Ok(log) => Some(log),
            Err(error) => {
                tracing::warn!(%error, "the programs' own log cannot be read");
                None
            }
        });
        Ok(Self {
            ebpf,
            log,
            ids,
            seed,
        })
    }

    pub(super) fn take_array(&mut self, name: &'static str) -> Result<ArrayMap, ObjectError> {
        match self.ebpf.take_map(name) {
            Some(Map::Array(data)) => ArrayMap::of(data, name),
            _ => Err(ObjectError::Missing { name }),
        }
    }

    pub(super) fn take_ring(
        &mut self,
        name: &'static str,
    ) -> Result<RingBuf<MapData>, ObjectError> {
        let map = self
            .ebpf
            .take_map(name)
            .ok_or(ObjectError::Missing { name })?;
        RingBuf::try_from(map).map_err(|error| unusable(name, error))
    }

    pub(super) fn take_per_cpu(
        &mut self,
        name: &'static str,
    ) -> Result<PerCpuArray<MapData, u32>, ObjectError> {
        let map = self
            .ebpf
            .take_map(name)
            .ok_or(ObjectError::Missing { name })?;
        PerCpuArray::try_from(map).map_err(|error| unusable(name, error))
    }

    /// The program for one direction.
    pub(super) fn program(
        &mut self,
        direction: Direction,
    ) -> Result<&mut SchedClassifier, ObjectError> {
        program(&mut self.ebpf, program_name(direction))
    }

    /// The kernel's id of it.
    pub(super) const fn id(&self, direction: Direction) -> u32 {
        self.ids[direction as usize]
    }

    /// Pins it, for as long as an agent may need to know its id.
    pub(super) fn pin(&mut self, direction: Direction, pins: &Pins) -> Result<(), ObjectError> {
        let name = program_name(direction);
        let path = pins.program(name, self.id(direction));
        let pinned = self.program(direction)?.pin(&path);
        pinned.map_err(|source| ObjectError::Pin { name, path, source })
    }

    /// A second handle to the loaded programs.
    pub(super) fn injector(&mut self) -> Result<Injector, ObjectError> {
        Ok(Injector {
            from_pod: handle(&mut self.ebpf, FROM_POD_PROGRAM)?,
            to_pod: handle(&mut self.ebpf, TO_POD_PROGRAM)?,
        })
    }

    /// Hands what the programs logged to this process's own log.
    pub(super) fn flush_log(&mut self) {
        if let Some(log) = &mut self.log {
            log.flush();
        }
    }
}

impl fmt::Debug for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Programs").finish_non_exhaustive()
    }
}

fn program<'a>(
    ebpf: &'a mut Ebpf,
    name: &'static str,
) -> Result<&'a mut SchedClassifier, ObjectError> {
    ebpf.program_mut(name)
        .and_then(|program| program.try_into().ok())
        .ok_or(ObjectError::Missing { name })
}

fn handle(ebpf: &mut Ebpf, name: &'static str) -> Result<SchedClassifier, ObjectError> {
    let refused = |source: ProgramError| ObjectError::Program {
        name,
        source: source.into(),
    };
    let info = program(ebpf, name)?.info().map_err(refused)?;
    SchedClassifier::from_program_info(info, name.into()).map_err(refused)
}

/// Never zero, which stands for none.
fn random_seed() -> Result<u64, ObjectError> {
    let mut bytes = [0; 8];
    rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())
        .map_err(|error| ObjectError::Seed(error.into()))?;
    Ok(u64::from_ne_bytes(bytes).max(1))
}

/// The ring buffer of what the programs log, as aya-log names it: a page when they log nothing.
const LOG_MAP: &str = "AYA_LOGS";

const fn log_bytes(kernel_log: &KernelLog) -> u32 {
    match kernel_log {
        Some(_) => 128 << 10,
        None => 4096,
    }
}

const fn level_byte(level: log::Level) -> u8 {
    (match level {
        log::Level::Error => Level::Error,
        log::Level::Warn => Level::Warn,
        log::Level::Info => Level::Info,
        log::Level::Debug => Level::Debug,
        log::Level::Trace => Level::Trace,
    }) as u8
}

fn unusable(name: &'static str, error: MapError) -> ObjectError {
    ObjectError::Map {
        name,
        source: Box::new(error),
    }
}

fn refused_object(error: EbpfError, slots: u32) -> ObjectError {
    match system_error(&error) {
        Some(system) => {
            environment(system, slots).unwrap_or_else(|| ObjectError::Load(error.into()))
        }
        None => ObjectError::Load(error.into()),
    }
}

fn refused_program(error: ProgramError, name: &'static str) -> ObjectError {
    let environment = system_error(&error).and_then(|system| match system.raw_os_error() {
        Some(EPERM) => environment(system, 0),
        _ => None,
    });
    environment.unwrap_or_else(|| ObjectError::Program {
        name,
        source: error.into(),
    })
}

const EPERM: i32 = rustix::io::Errno::PERM.raw_os_error();
const ENOSYS: i32 = rustix::io::Errno::NOSYS.raw_os_error();
const ENOMEM: i32 = rustix::io::Errno::NOMEM.raw_os_error();

fn environment(error: io::Error, slots: u32) -> Option<ObjectError> {
    match error.raw_os_error() {
        Some(EPERM) => Some(ObjectError::NotPermitted(error)),
        Some(ENOSYS) => Some(ObjectError::NoBpf(error)),
        Some(ENOMEM) => {
            let bytes = u64::from(slots) * size_of::<agent_common::Slot>() as u64;
            Some(ObjectError::NoMemory {
                slots,
                bytes,
                source: error,
            })
        }
        _ => None,
    }
}

/// The system's error at the bottom of a chain, remade so that it can be owned.
fn system_error(error: &(dyn std::error::Error + 'static)) -> Option<io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(code) = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::raw_os_error)
        {
            return Some(io::Error::from_raw_os_error(code));
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_machine_lacks_is_named_with_the_next_step() {
        let cases = [
            (EPERM, "run as root, or with the capabilities BPF"),
            (ENOSYS, "CONFIG_BPF_SYSCALL"),
            (ENOMEM, "lower --slots"),
        ];
        for (code, says) in cases {
            let buried = EbpfError::FileError {
                path: "/proc/sys".into(),
                error: io::Error::from_raw_os_error(code),
            };
            let said = refused_object(buried, 256).to_string();
            assert!(said.contains(says), "{code}: {said}");
        }
        let other = EbpfError::FileError {
            path: "/proc/sys".into(),
            error: io::Error::from_raw_os_error(rustix::io::Errno::INVAL.raw_os_error()),
        };
        assert!(matches!(refused_object(other, 256), ObjectError::Load(_)));
    }
}
