//! A terminal of a test's own, and what a program has drawn on it.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    num::NonZero,
    os::fd::OwnedFd,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};
use vt100::Parser;

const DEADLINE: Duration = Duration::from_secs(30);

/// `picket` on a terminal that it controls.
pub(crate) struct PseudoTerminal {
    child: Child,
    master: File,
    /// Keeps the settings of the terminal when the program has ended.
    slave: OwnedFd,
    drawn: Arc<Drawn>,
}

struct Drawn {
    parser: Mutex<Parser>,
    changed: Condvar,
}

impl PseudoTerminal {
    pub(crate) fn start(arguments: &[&str], columns: u16, rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .unwrap();
        let master = File::from(master);
        tcsetwinsize(&master, size(columns, rows)).unwrap();
        let end = || Stdio::from(slave.try_clone().unwrap());
        let child = Command::new("setsid")
            .args(["--ctty", env!("CARGO_BIN_EXE_picket")])
            .args(arguments)
            .env("TERM", "xterm-256color")
            .env_remove("PICKET_SERVER")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        let drawn = Arc::new(Drawn {
            parser: Mutex::new(Parser::new(cells(rows), cells(columns), 0)),
            changed: Condvar::new(),
        });
        let reader = master.try_clone().unwrap();
        let drawing = Arc::clone(&drawn);
        thread::spawn(move || drawing.follow(reader));
        Self {
            child,
            master,
            slave: slave.into(),
            drawn,
        }
    }

    /// Waits until the screen shows all of these, and returns it.
    pub(crate) fn shows(&self, texts: &[&str]) -> String {
        self.wait(|screen| texts.iter().all(|it| screen.contains(it)))
    }

    /// Waits until the screen is as it should be, and returns it.
    pub(crate) fn wait(&self, is_wanted: impl Fn(&str) -> bool) -> String {
        let waited =
            self.drawn
                .changed
                .wait_timeout_while(self.drawn.parser(), DEADLINE, |parser| {
                    !is_wanted(&parser.screen().contents())
                });
        let (parser, late) = waited.unwrap_or_else(PoisonError::into_inner);
        let screen = parser.screen().contents();
        assert!(!late.timed_out(), "the screen is\n{screen}");
        screen
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.drawn
            .parser()
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        tcsetwinsize(&self.master, size(columns, rows)).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end, and sees that it left the terminal as it was.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        let screen = {
            let waited =
                self.drawn
                    .changed
                    .wait_timeout_while(self.drawn.parser(), DEADLINE, |parser| {
                        parser.screen().alternate_screen() || parser.screen().hide_cursor()
                    });
            let (parser, late) = waited.unwrap_or_else(PoisonError::into_inner);
            assert!(!late.timed_out(), "the terminal is not given back");
            parser.screen().contents()
        };
        let modes = tcgetattr(&self.slave).unwrap().local_modes;
        let usual = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        assert!(modes.contains(usual), "the terminal is raw: {modes:?}");
        (status, screen)
    }
}

impl Drop for PseudoTerminal {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Drawn {
    fn parser(&self) -> MutexGuard<'_, Parser> {
        self.parser.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(&self, mut reader: File) {
        let mut bytes = [0; 4096];
        // It ends with the last descriptor of the other side.
        while let Ok(count @ 1..) = reader.read(&mut bytes) {
            self.parser().process(&bytes[..count]);
            self.changed.notify_all();
        }
    }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}
