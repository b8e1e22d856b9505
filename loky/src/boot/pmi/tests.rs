//! The other end of the line: a server as launchers have it, one that is broken, and one that says nothing.

use std::io::{BufRead, BufReader};
use std::thread;

use super::*;

/// Answers as MPICH's `mpiexec` does, with what `change` makes of each answer, until the link is closed.
fn serve(link: UnixStream, stored: &str, change: impl Fn(&str, &str) -> Vec<u8>) -> Vec<String> {
    let mut heard = Vec::new();
    let mut questions = BufReader::new(link.try_clone().unwrap());
    loop {
        let mut line = String::new();
        if questions.read_line(&mut line).unwrap_or(0) == 0 {
            return heard;
        }
        let answer = match command(line.trim()) {
            "init" => "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0".to_owned(),
            "get_maxes" => "cmd=maxes kvsname_max=256 keylen_max=64 vallen_max=1024".to_owned(),
            "get_my_kvsname" => "cmd=my_kvsname kvsname=kvs_1_0".to_owned(),
            "put" => "cmd=put_result rc=0 msg=success".to_owned(),
            "barrier_in" => "cmd=barrier_out".to_owned(),
            "get" => format!("cmd=get_result rc=0 msg=success value={stored}"),
            _ => "cmd=finalize_ack".to_owned(),
        };
        let answer = change(command(line.trim()), &format!("{answer}\n"));
        heard.push(line);
        if (&link).write_all(&answer).is_err() || answer.is_empty() {
            return heard;
        }
    }
}

fn exchanged(
    mine: Option<&str>,
    limit: Duration,
    change: impl Fn(&str, &str) -> Vec<u8> + Send,
) -> (io::Result<String>, Vec<String>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    thread::scope(|scope| {
        let server = scope.spawn(move || serve(theirs, "1/words~", change));
        let got = exchange(ours, mine, Instant::now() + limit);
        (got, server.join().unwrap())
    })
}

const ENOUGH: Duration = Duration::from_secs(20);

fn unchanged(_: &str, answer: &str) -> Vec<u8> {
    answer.as_bytes().to_vec()
}

#[test]
fn rank_0_gives_and_the_others_get() {
    let (given, heard) = exchanged(Some("1/words"), ENOUGH, unchanged);
    assert_eq!(given.unwrap(), "1/words");
    assert!(heard.contains(&"cmd=put kvsname=kvs_1_0 key=loky value=1/words\n".to_owned()), "{heard:?}");
    let (got, heard) = exchanged(None, ENOUGH, unchanged);
    assert_eq!(got.unwrap(), "1/words~");
    assert!(!heard.iter().any(|line| line.contains("cmd=put")), "{heard:?}");
    assert_eq!(heard.last().unwrap(), "cmd=finalize\n");
}

#[test]
fn answers_may_come_in_pieces() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            let small = theirs.try_clone().unwrap();
            serve(theirs, "x", |_, answer| {
                answer.bytes().take(answer.len() - 1).for_each(|byte| (&small).write_all(&[byte]).unwrap());
                b"\n".to_vec()
            })
        });
        assert_eq!(exchange(ours, None, Instant::now() + ENOUGH).unwrap(), "x");
    });
}

#[test]
fn a_launcher_that_goes_away_is_an_error_at_each_question() {
    for gone in ["init", "get_maxes", "get_my_kvsname", "barrier_in", "get", "finalize"] {
        let (got, _) = exchanged(None, ENOUGH, |question, answer| match question == gone {
            true => Vec::new(),
            false => answer.as_bytes().to_vec(),
        });
        let why = got.unwrap_err();
        assert!(why.to_string().contains(gone), "{gone}: {why}");
        // Half an answer is none.
        let (got, _) = exchanged(None, Duration::from_millis(300), |question, answer| match question == gone {
            true => answer.as_bytes()[..answer.len() / 2].to_vec(),
            false => answer.as_bytes().to_vec(),
        });
        assert_eq!(got.unwrap_err().kind(), io::ErrorKind::TimedOut, "{gone}");
    }
}

#[test]
fn silence_ends_at_the_limit() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let begin = Instant::now();
    let why = exchange(ours, None, begin + Duration::from_millis(200)).unwrap_err();
    assert!(why.kind() == io::ErrorKind::TimedOut && begin.elapsed() < ENOUGH, "{why}");
}

#[test]
fn nonsense_is_an_error() {
    let answers: [&[u8]; 8] = [
        b"\n",
        b"no\n",
        b"cmd=\n",
        b"cmd=put_result rc=0\n",
        b"cmd=response_to_init rc=-1\n",
        b"\xff\xfe\0\n",
        b"cmd=response_to_init rc=\n",
        b"=\n",
    ];
    for answer in answers {
        let (got, _) = exchanged(None, ENOUGH, |_, _| answer.to_vec());
        assert!(got.unwrap_err().to_string().contains("\"init\""), "{answer:?}");
    }
    let (got, _) = exchanged(None, ENOUGH, |question, answer| match question {
        "get" => b"cmd=get_result rc=0 msg=success\n".to_vec(),
        _ => answer.as_bytes().to_vec(),
    });
    assert!(got.unwrap_err().to_string().contains("without a value"));
}

#[test]
fn a_line_has_an_end() {
    let (got, _) = exchanged(None, ENOUGH, |_, _| vec![b'x'; 3 * LINE_MAX]);
    assert!(got.unwrap_err().to_string().contains("without an end"));
}

#[test]
fn a_value_that_does_not_fit_is_refused_before_it_is_cut() {
    let (got, heard) = exchanged(Some(&"x".repeat(1024)), ENOUGH, unchanged);
    assert!(got.unwrap_err().to_string().contains("too short") && !heard.iter().any(|line| line.contains("put")));
}
