//! The frame of the fuzzers: inputs made of known ones by chance, the same in every run.
//!
//! A target may give any answer to any input. It must give one: without a panic, within
//! [`MEMORY`] bytes, and before the watchdog loses its patience.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use lrun::clock::Moment;

use crate::allocations;
use crate::random::Random;

/// What an input may take, at the most.
const MEMORY: usize = 200 << 20;

/// How long the watchdog waits for an answer: far longer than any takes, debug build and busy
/// machine included.
const PATIENCE: Duration = Duration::from_secs(60);

/// A variable that says how many seconds each target is tried, instead of a number of inputs.
const SECONDS: &str = "LRUN_FUZZ_SECONDS";

/// Bytes of an input that are shown when something is wrong with it.
const SHOWN: usize = 4000;

/// The longest input that is made on purpose.
const LONGEST: usize = 100_000;

/// What to try a target with.
pub(crate) struct Fuzzer<'a> {
    /// The name of the target.
    pub(crate) name: &'a str,
    /// Inputs as users write them, which others are made of.
    pub(crate) seeds: Vec<Vec<u8>>,
    /// Inputs as long or as deep as can be, each tried once.
    pub(crate) extremes: Vec<Vec<u8>>,
    /// Pieces that mean something to the target.
    pub(crate) words: &'a [&'a str],
    /// How many inputs are made where no time is given.
    pub(crate) inputs: u64,
}

impl Fuzzer<'_> {
    /// Tries the target.
    pub(crate) fn run(self, target: impl Fn(&[u8])) {
        let began = Moment::now();
        let until = seconds();
        // Shared with the watchdog, which may ask at any time.
        let current = Arc::new(Mutex::new(Current::default()));
        watch(self.name, Arc::downgrade(&current));
        let mut maker = Maker {
            seeds: &self.seeds,
            extremes: &self.extremes,
            words: self.words,
            random: Random::new(1),
        };
        let mut peak = 0;
        let mut number = 0;
        let goes_on = |number| match until {
            None => number < self.inputs,
            Some(until) => began.elapsed() < until,
        };
        while goes_on(number) {
            number += 1;
            let input = maker.input(number);
            *current.lock().expect("the watchdog only reads") = Current {
                number,
                input: input.clone(),
            };
            let told = Told(self.name, &current);
            let ((), taken) = allocations::within(MEMORY, || target(&input));
            drop(told);
            peak = peak.max(taken.peak);
        }
        println!(
            "fuzz {}: {number} inputs in {:.1} s, at most {} kB each",
            self.name,
            began.elapsed().as_secs_f64(),
            peak / 1000
        );
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment of the tests themselves"
)]
fn seconds() -> Option<Duration> {
    let given = std::env::var(SECONDS).ok()?;
    let seconds = given.parse();
    Some(Duration::from_secs(seconds.unwrap_or_else(|_| {
        panic!("{SECONDS} is '{given}', which is no number of seconds")
    })))
}

/// The input a target is at work on.
#[derive(Default, Clone)]
struct Current {
    number: u64,
    input: Vec<u8>,
}

impl Current {
    /// Says on standard error what it is, and what became of it.
    fn tell(&self, name: &str, fate: &str) {
        let shown = &self.input[..self.input.len().min(SHOWN)];
        eprintln!(
            "fuzz {name}: input {} of {} bytes {fate}: {}",
            self.number,
            self.input.len(),
            shown.escape_ascii()
        );
    }
}

/// Prints the input that a target panics at.
struct Told<'a>(&'a str, &'a Mutex<Current>);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // The watchdog does no more than read it.
            let current = self.1.lock().unwrap_or_else(PoisonError::into_inner);
            current.tell(self.0, "panics");
        }
    }
}

/// Ends the process when one input takes longer than [`PATIENCE`].
fn watch(name: &str, watched: Weak<Mutex<Current>>) {
    let name = name.to_owned();
    std::thread::spawn(move || {
        let (mut last, mut since) = (0, Moment::now());
        while let Some(current) = watched.upgrade() {
            let current = current
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            if current.number != last {
                (last, since) = (current.number, Moment::now());
            } else if since.elapsed() > PATIENCE {
                current.tell(&name, "hangs");
                std::process::abort();
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    });
}

/// Makes inputs.
struct Maker<'a> {
    seeds: &'a [Vec<u8>],
    extremes: &'a [Vec<u8>],
    words: &'a [&'a str],
    random: Random,
}

impl Maker<'_> {
    /// The seeds and the extremes as they are come first.
    fn input(&mut self, number: u64) -> Vec<u8> {
        let number = usize::try_from(number).expect("64 bits");
        let mut known = self.seeds.iter().chain(self.extremes);
        if let Some(known) = known.nth(number - 1) {
            return known.clone();
        }
        let mut input = self.seed();
        for _ in 0..=self.random.below(6) {
            self.change(&mut input);
        }
        input
    }

    fn seed(&mut self) -> Vec<u8> {
        match self.seeds {
            [] => Vec::new(),
            seeds => seeds[self.random.below(seeds.len())].clone(),
        }
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.random.below(input.len() + 1);
        match self.random.below(100) {
            0..45 => {
                let word = self.random.pick(self.words);
                input.splice(at..at, word.bytes());
            }
            45..60 => {
                let end = at + self.random.below((input.len() - at).min(20) + 1);
                input.drain(at..end);
            }
            60..70 => {
                let byte = u8::try_from(self.random.below(256)).expect("a byte");
                input.insert(at, byte);
            }
            70..80 => {
                let other = self.seed();
                let from = self.random.below(other.len() + 1);
                input.splice(at.., other[from..].iter().copied());
            }
            80..90 => input.truncate(at),
            90..99 => self.repeat(input, at, 40),
            // Seldom, for it takes long.
            _ => match self.random.chance(5) {
                true => self.repeat(input, at, LONGEST),
                false => self.repeat(input, at, 2000),
            },
        }
    }

    /// Repeats a word, or a piece of the input, until it is about that long.
    fn repeat(&mut self, input: &mut Vec<u8>, at: usize, length: usize) {
        let piece = match self.random.chance(70) {
            true => self.random.pick(self.words).as_bytes().to_vec(),
            false => input[at..].iter().copied().take(30).collect(),
        };
        let times = length / piece.len().max(1);
        let repeated = piece.repeat(times.min(1 + self.random.below(times + 1)));
        input.splice(at..at, repeated);
    }
}
