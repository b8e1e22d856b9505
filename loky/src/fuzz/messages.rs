//! A frame of any kind with any bytes, as each side would read it. What is understood says the same when it is said again.

use super::Input;
use crate::supervisor::zygote::request::Request;
use crate::wire::body::Body;
use crate::wire::enclosure::Enclosure;
use crate::wire::frame::Head;
use crate::wire::message::{FromWorker, Welcome};
use crate::wire::run::Assignment;

pub(super) fn understand(data: &[u8]) {
    let mut input = Input::new(data);
    let (kind, tag, is_lost) = (input.byte(), input.word(), input.byte() & 15 == 1);
    let bytes = input.rest();
    let len = if is_lost { bytes.len() + 1 } else { bytes.len() };
    let head = Head { kind: kind & 127, tag, len, row: None };
    let body = || if is_lost { Body::Lost(bytes.to_vec(), len) } else { Body::Lent(bytes) };
    from_worker(head, body(), bytes, is_lost);
    to_worker(head, &body());
    if let Ok(welcome) = Welcome::decode(bytes) {
        assert_eq!(welcome.encode(), bytes);
    }
    if let Some(request) = Request::decode(bytes) {
        assert_eq!(request.encode(), bytes);
    }
}

fn from_worker(head: Head, body: Body<'_>, bytes: &[u8], is_lost: bool) {
    match FromWorker::parse((head, body)) {
        Ok(FromWorker::Hello(hello)) => assert_eq!(hello.said().1, bytes),
        Ok(FromWorker::Answer { result: Ok(body), .. }) => assert_eq!((&*body, is_lost), (bytes, false)),
        Ok(FromWorker::AnswerOfReaders { encloses, result, .. }) => {
            assert_eq!(([&encloses.to_le_bytes(), result].concat(), is_lost), (bytes.to_vec(), false));
        }
        Ok(FromWorker::Encloses(enclosure)) => assert_enclosure(enclosure, bytes),
        Ok(FromWorker::Answer { .. } | FromWorker::Ran { .. } | FromWorker::Worn) | Err(_) => {}
    }
}

fn to_worker(head: Head, body: &Body<'_>) {
    if let Ok(enclosure) = Enclosure::parse(head, body) {
        assert_enclosure(enclosure, body);
    }
    let Ok(assignment) = Assignment::parse(head, body) else { return };
    // So many that look into nothing tell no more than some.
    let (items, arguments) =
        assignment.items().take(1 << 16).fold((0, 0), |(items, bytes), item| (items + 1, bytes + item.len()));
    assert!(items <= assignment.run.count && assignment.captures.len() + arguments <= body.len());
    assert!(items == assignment.run.count || items == 1 << 16, "all that were announced are there");
}

fn assert_enclosure(enclosure: Enclosure, bytes: &[u8]) {
    assert_eq!(enclosure.said(0).1, bytes);
}
