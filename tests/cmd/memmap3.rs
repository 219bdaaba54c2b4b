// SPDX-License-Identifier: MIT OR Apache-2.0
// The structs that memmap3's README declares, and what else such files have in them.
use memmap3::prelude::*;

const SLOTS: usize = 1_0;

#[mmap_struct]
struct Counter {
    #[mmap(atomic)]
    value: u64,
    name: [u8; 32],
}

#[mmap_struct]
struct MyData {
    // Regular fields (primitives, enums)
    id: u64,
    active: bool,

    // Atomic fields (thread-safe across processes)
    #[mmap(atomic)]
    counter: u64,

    name: [u8; 32],

    /* raw /* nested comment */ bytes */
    #[mmap(raw)]
    key: [u8; 32],

    #[mmap(vec)]
    scores: [u32; SLOTS],

    #[mmap(string_array)]
    tags: [[u8; 16]; 5],

    #[mmap(segmented)]
    events: [u64; 0],
}

#[mmap_struct]
struct BitIndex {
    index: [[[u8; 256]; 256]; 256],
    users_by_age_location: [[u64; 100]; 50], // [age][location]
    #[mmap(segmented)]
    overflow_data: [u64; 0],
}

#[repr(C)]
pub enum State {
    Idle,
    Busy = 5,
    Done,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

#[mmap_struct]
#[derive(Debug)]
pub struct GameState {
    pub level: u32,
    pub(crate) score: u64,
    player_name: [u8; 32],
    state: State,
    home: Point,
    trail: MmapVec<Point, 8>,
    names: MmapHashMap<&'static str, std::string::String>,
    hits: MmapAtomicU32,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut counter = MmapStruct::<Counter>::create("/tmp/counter.mmap")?;
    let quote = '"';
    println!("struct {{ {} }} {}", counter.name, quote);
    Ok(())
}
