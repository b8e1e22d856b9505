//! Bars on a terminal.

use std::thread;

use loky::prelude::*;
use loky::{Output, Pool};
use loky_tests::tasks::square;
use loky_tests::terminal::ROWS;
use loky_tests::{Case, Gate, Program, Terminal, cases, eventually, ms, pool_of, program, programs};

pub(crate) const CASES: &[Case] = cases![
    prog_02_a_bar_is_drawn_and_left_at_its_end,
    progress_01_several_are_drawn_at_once,
    progress_02_what_tasks_print_stands_above,
    progress_03_a_narrow_terminal_is_wide_enough,
    progress_04_what_a_task_says_of_itself_is_shown_beside_its_worker,
    progress_05_one_that_is_given_up_says_so,
    progress_06_a_panic_while_it_is_drawn_leaves_others_usable,
];

pub(crate) const PROGRAMS: &[Program] =
    programs![maps_slowly, maps_several, maps_and_prints, maps_and_tells, gives_up, panics_in_between,];

#[loky::task]
fn slow_square(x: u64) -> u64 {
    thread::sleep(ms(20));
    if x % 10 == 9 {
        std::process::abort();
    }
    x * x
}

fn maps_slowly() {
    let pool = pool_of(2);
    let results = (0..40).par_map(slow_square).on(&pool).chunk_size(1).progress("squares");
    assert_eq!(results.filter(Result::is_ok).count(), 36);
    pool.shutdown();
}

/// What is left on a screen of this width once everything was drawn, line by line.
fn left_on(columns: u16, screen: &str) -> Vec<String> {
    let mut terminal = vt100::Parser::new(ROWS, columns, 0);
    terminal.process(screen.as_bytes());
    let lines: Vec<_> = terminal.screen().rows(0, columns).map(|line| line.trim_end().to_owned()).collect();
    lines.into_iter().filter(|line| !line.is_empty()).collect()
}

fn left(screen: &str) -> Vec<String> {
    left_on(80, screen)
}

fn prog_02_a_bar_is_drawn_and_left_at_its_end() {
    let (_, screen) = Terminal::start(program("maps_slowly")).ends();
    let drawn = screen.matches("squares [").count();
    assert!((2..200).contains(&drawn), "it was drawn {drawn} times");
    assert!(screen.contains(" of 40 (") && screen.contains(" busy") && screen.contains(" left"), "{screen:?}");
    let left = left(&screen);
    let last = left.last().expect("a line");
    assert!(last.starts_with("squares: 40 in ") && last.ends_with("/s, 4 failed"), "{left:?}");
}

fn maps_several() {
    thread::scope(|scope| {
        for name in ["first", "second", "third"] {
            scope.spawn(move || {
                let pool = pool_of(1);
                let items = (0..15).map(|number| 10 * number);
                items.par_map(slow_square).on(&pool).chunk_size(1).progress(name).unwrap_all();
                pool.shutdown();
            });
        }
    });
}

fn progress_01_several_are_drawn_at_once() {
    let (_, screen) = Terminal::start(program("maps_several")).ends();
    let left = left(&screen);
    for name in ["first", "second", "third"] {
        let ends = left.iter().filter(|line| line.starts_with(&format!("{name}: 15 in "))).count();
        assert_eq!(ends, 1, "{left:?}");
    }
}

#[loky::task]
fn say(number: u64) {
    thread::sleep(ms(20));
    println!("output {number}");
    eprintln!("error {number}");
}

fn maps_and_prints() {
    for output in [Output::Prefix, Output::Capture] {
        let pool = Pool::builder().workers(2).output(output).build().expect("a pool");
        (0..20).par_map(say).on(&pool).chunk_size(1).progress("saying").unwrap_all();
        pool.shutdown();
    }
}

fn progress_02_what_tasks_print_stands_above() {
    let (_, screen) = Terminal::start(program("maps_and_prints")).ends();
    let left = left(&screen);
    for stream in ["output", "error"] {
        for number in 0..20 {
            let line = format!("{stream} {number}");
            let whole = left.iter().filter(|shown| {
                shown
                    .strip_prefix("[0 progress::bars::say] ")
                    .or(shown.strip_prefix("[1 progress::bars::say] "))
                    .unwrap_or(shown)
                    == line
            });
            assert_eq!(whole.count(), 2, "{line} in {left:#?}");
        }
    }
    assert_eq!(left.len(), 82, "and the ends of two bars: {left:#?}");
}

fn progress_03_a_narrow_terminal_is_wide_enough() {
    for columns in [10, 25, 40, 200] {
        let (_, screen) = Terminal::start_wide(program("maps_slowly"), columns).ends();
        // The last line is as long as it is; what was drawn before it is cut, and gone.
        let left = left_on(columns, &screen).concat();
        assert!(left.starts_with("squares: 40 in") && !left.contains("busy"), "{columns} columns: {left:?}");
    }
}

#[loky::task]
fn tell(number: u64) {
    let gate = Gate::of_the_case("gate");
    loky::progress(0.25);
    loky::progress_message(format!("reading number {number}\nand more"));
    gate.pass();
}

fn maps_and_tells() {
    let pool = pool_of(2);
    (0..2).par_map(tell).on(&pool).chunk_size(1).progress("telling").unwrap_all();
    pool.shutdown();
}

fn progress_04_what_a_task_says_of_itself_is_shown_beside_its_worker() {
    let gate = Gate::new("gate");
    let terminal = Terminal::start(program("maps_and_tells"));
    for worker in [0, 1] {
        let of = |number| format!("worker {worker}: 25 %, reading number {number} (progress::bars::tell)");
        eventually("it is shown", || [0, 1].iter().any(|number| terminal.said().contains(&of(number))));
    }
    gate.open();
    let (_, screen) = terminal.ends();
    assert_eq!(left(&screen).len(), 1, "it is gone with them: {:?}", left(&screen));
}

fn gives_up() {
    let pool = pool_of(1);
    let some: Vec<_> = (0..1000).par_map(square).on(&pool).chunk_size(1).window(4).progress("some").take(3).collect();
    assert_eq!(some.len(), 3);
    pool.shutdown();
}

fn progress_05_one_that_is_given_up_says_so() {
    let (_, screen) = Terminal::start(program("gives_up")).ends();
    let left = left(&screen);
    assert!(left.iter().any(|line| line.starts_with("some: stopped at ") && line.contains(" of 1000 in ")), "{left:?}");
}

fn panics_in_between() {
    let pool = pool_of(1);
    let panicked = thread::spawn({
        let pool = pool.clone();
        move || {
            let items = (0..10).inspect(|&number| assert!(number < 5, "a panic that this test makes"));
            items.par_map(square).on(&pool).chunk_size(1).window(1).progress("panics").unwrap_all()
        }
    });
    assert!(panicked.join().is_err());
    (0..10).par_map(square).on(&pool).progress("goes on").unwrap_all();
    pool.shutdown();
}

fn progress_06_a_panic_while_it_is_drawn_leaves_others_usable() {
    let (_, screen) = Terminal::start(program("panics_in_between")).ends();
    let left = left(&screen);
    assert!(left.iter().any(|line| line.starts_with("goes on: 10 in ")), "{left:?}");
}
