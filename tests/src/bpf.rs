//! Programs of others, and what only the kernel itself can do with ours: bare system calls.
#![expect(unsafe_code, reason = "bpf(2) takes structures by address")]

use std::{
    ffi::CString,
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd},
    path::Path,
};

use anyhow::{Context as _, Result};

/// From linux/bpf.h.
const BPF_PROG_LOAD: libc::c_long = 5;
const BPF_OBJ_GET: libc::c_long = 7;
const BPF_LINK_CREATE: libc::c_long = 28;
const BPF_LINK_UPDATE: libc::c_long = 29;
const BPF_LINK_DETACH: libc::c_long = 34;
const BPF_PROG_TYPE_SCHED_CLS: u32 = 3;
const BPF_TCX_INGRESS: u32 = 46;
const BPF_TCX_EGRESS: u32 = 47;
const BPF_F_BEFORE: u32 = 1 << 3;
/// `r0 = 0` and `exit`: TC_ACT_OK, with which no further program runs.
const ACCEPT: [u64; 2] = [0x0000_00b7, 0x0000_0095];

/// A program of somebody else that accepts every packet, so that none behind it sees any.
#[derive(Debug)]
pub struct Foreign {
    _links: [OwnedFd; 2],
}

impl Foreign {
    /// Attaches it first at both sides of an interface of the calling thread's network namespace.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn attach_first(ifindex: u32) -> Result<Self> {
        let license = c"GPL";
        #[repr(C)]
        struct Load {
            kind: u32,
            instructions: u32,
            code: u64,
            license: u64,
        }
        let program = bpf(
            BPF_PROG_LOAD,
            &Load {
                kind: BPF_PROG_TYPE_SCHED_CLS,
                instructions: ACCEPT.len() as u32,
                code: ACCEPT.as_ptr().expose_provenance() as u64,
                license: license.as_ptr().expose_provenance() as u64,
            },
        )
        .context("cannot load a program of two instructions")?;
        let attach = |attach_type| {
            #[repr(C)]
            struct Create {
                program: RawFd,
                ifindex: u32,
                attach_type: u32,
                flags: u32,
                relative: u64,
                revision: u64,
            }
            bpf(
                BPF_LINK_CREATE,
                &Create {
                    program: program.as_raw_fd(),
                    ifindex,
                    attach_type,
                    flags: BPF_F_BEFORE,
                    relative: 0,
                    revision: 0,
                },
            )
            .context("cannot attach it")
        };
        Ok(Self {
            _links: [attach(BPF_TCX_INGRESS)?, attach(BPF_TCX_EGRESS)?],
        })
    }
}

/// Opens what is pinned.
///
/// # Errors
/// When nothing is.
pub fn pinned(path: &Path) -> Result<OwnedFd> {
    #[repr(C)]
    struct Get {
        path: u64,
        descriptor: u32,
        flags: u32,
    }
    let name = CString::new(path.as_os_str().as_encoded_bytes())?;
    bpf(
        BPF_OBJ_GET,
        &Get {
            path: name.as_ptr().expose_provenance() as u64,
            descriptor: 0,
            flags: 0,
        },
    )
    .with_context(|| format!("cannot open {}", path.display()))
}

/// Replaces the program of a link.
///
/// # Errors
/// When the kernel refuses.
pub fn update(link: &OwnedFd, program: &OwnedFd) -> Result<()> {
    #[repr(C)]
    struct Update {
        link: RawFd,
        program: RawFd,
        flags: u32,
        expected: u32,
    }
    let update = Update {
        link: link.as_raw_fd(),
        program: program.as_raw_fd(),
        flags: 0,
        expected: 0,
    };
    call(BPF_LINK_UPDATE, &update).context("cannot update a link")?;
    Ok(())
}

/// Detaches a link, as its owner or anyone with rights may; it stays as a link to nothing.
///
/// # Errors
/// When the kernel refuses.
pub fn detach(link: &OwnedFd) -> Result<()> {
    call(BPF_LINK_DETACH, &link.as_raw_fd()).context("cannot detach a link")?;
    Ok(())
}

/// A command that yields a descriptor.
fn bpf<T>(command: libc::c_long, attributes: &T) -> io::Result<OwnedFd> {
    let descriptor = call(command, attributes)?;
    // SAFETY: the kernel has just made it, for nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn call<T>(command: libc::c_long, attributes: &T) -> io::Result<RawFd> {
    // SAFETY: the kernel reads a structure of the size that it is told, which outlives the call, and
    // so does all it points to.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_ref(attributes),
            size_of::<T>(),
        )
    };
    match RawFd::try_from(result) {
        Ok(result) if result >= 0 => Ok(result),
        _ => Err(io::Error::last_os_error()),
    }
}
