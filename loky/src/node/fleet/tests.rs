use std::time::Duration;

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

const fn ms(ms: u64) -> Moment {
    Moment::from_millis(ms)
}

fn call(number: u64) -> CallId {
    CallId::from_raw(number)
}

fn retrying(retries: u32) -> Terms {
    Terms { retries, ..Terms::default() }
}

fn fleet(agents: &[(u64, usize)]) -> Fleet {
    let mut fleet = Fleet::new(PATIENCE, ms(0));
    agents.iter().for_each(|&(agent, slots)| fleet.joined(AgentId(agent), slots, ms(0)));
    fleet
}

fn actions(fleet: &mut Fleet) -> Vec<Action> {
    std::iter::from_fn(|| fleet.next_action()).collect()
}

fn send(number: u64, agent: u64, attempt: u32) -> Action {
    Action::Send { call: call(number), agent: AgentId(agent), attempt }
}

fn settle(number: u64, why: Why) -> Action {
    Action::Settle { call: call(number), why }
}

#[test]
fn calls_go_to_the_least_loaded_agent_and_wait_in_their_order_beyond() {
    let mut fleet = fleet(&[(1, 1), (2, 2)]);
    (0..5).for_each(|number| fleet.submit(call(number), Terms::default(), ms(0)));
    assert_eq!(actions(&mut fleet), [send(0, 1, 1), send(1, 2, 1), send(2, 2, 1)]);
    assert_eq!((fleet.queued(), fleet.open(), fleet.slots()), (2, 5, 3));
    fleet.submit(call(9), Terms { priority: 1, ..Terms::default() }, ms(0));
    assert!(fleet.answered(AgentId(2), call(1), 1, ms(1000)));
    assert_eq!(actions(&mut fleet), [send(9, 2, 1)], "urgent ones first");
    assert!(fleet.answered(AgentId(1), call(0), 1, ms(1000)));
    assert_eq!(actions(&mut fleet), [send(3, 1, 1)]);
}

#[test]
fn a_lost_agent_costs_what_has_no_retries_and_nothing_else() {
    let mut fleet = fleet(&[(1, 2)]);
    fleet.submit(call(0), Terms::default(), ms(0));
    fleet.submit(call(1), retrying(1), ms(0));
    fleet.submit(call(2), Terms::default(), ms(0));
    actions(&mut fleet);
    fleet.closed(AgentId(1), ms(10));
    assert_eq!(actions(&mut fleet), [], "nobody knows yet what it does");
    fleet.lost(AgentId(1), ms(3000));
    let lost = Why::NodeLost { agent: AgentId(1), attempt: 1 };
    assert_eq!(actions(&mut fleet), [settle(0, lost)]);
    fleet.joined(AgentId(2), 2, ms(4000));
    assert_eq!(actions(&mut fleet), [send(1, 2, 2), send(2, 2, 1)], "in the old order");
    assert!(!fleet.answered(AgentId(1), call(1), 1, ms(4001)), "a late answer is not heard");
    assert!(!fleet.answered(AgentId(2), call(1), 1, ms(4001)), "nor one of another attempt");
    assert!(fleet.answered(AgentId(2), call(1), 2, ms(4001)));
    fleet.lost(AgentId(2), ms(5000));
    assert_eq!(actions(&mut fleet), [settle(2, Why::NodeLost { agent: AgentId(2), attempt: 1 })]);
    assert_eq!(fleet.open(), 0);
}

#[test]
fn what_is_given_up_does_not_go_elsewhere() {
    let mut fleet = fleet(&[(1, 2)]);
    (0..3).for_each(|number| fleet.submit(call(number), retrying(9), ms(0)));
    actions(&mut fleet);
    assert!(fleet.cancel(call(0), ms(1)) && !fleet.cancel(call(0), ms(1)) && fleet.cancel(call(2), ms(1)));
    assert_eq!(fleet.ask_to_end(call(1)), Some(AgentId(1)));
    let told = Action::Cancel { call: call(0), agent: AgentId(1) };
    assert_eq!(actions(&mut fleet), [told, told, settle(2, Why::Cancelled(None))]);
    fleet.lost(AgentId(1), ms(2));
    let cancelled = Why::Cancelled(Some(AgentId(1)));
    assert_eq!(actions(&mut fleet), [settle(0, cancelled), settle(1, cancelled)]);
    assert!(!fleet.cancel(call(0), ms(3)));
}

#[test]
fn limits_of_time_hold_in_the_row() {
    let mut fleet = fleet(&[(1, 1)]);
    fleet.submit(call(0), Terms { start_by: Some(ms(5)), ..Terms::default() }, ms(0));
    fleet.submit(call(1), Terms { start_by: Some(ms(50)), end_by: Some(ms(90)), ..Terms::default() }, ms(0));
    fleet.submit(call(2), Terms { end_by: Some(ms(70)), ..Terms::default() }, ms(0));
    assert_eq!((actions(&mut fleet), fleet.next_timeout()), (vec![send(0, 1, 1)], Some(ms(50))));
    fleet.handle_timeout(ms(50));
    assert_eq!((actions(&mut fleet), fleet.next_timeout()), (vec![settle(1, Why::QueuedTooLong)], Some(ms(70))));
    fleet.handle_timeout(ms(70));
    assert_eq!((actions(&mut fleet), fleet.next_timeout()), (vec![settle(2, Why::DeadlinePassed)], None));
}

#[test]
fn calls_do_not_wait_for_ever_where_nobody_comes() {
    let mut fleet = Fleet::new(PATIENCE, ms(0));
    assert_eq!(fleet.next_timeout(), None);
    fleet.submit(call(0), Terms::default(), ms(10));
    assert_eq!(fleet.next_timeout(), Some(PATIENCE));
    fleet.handle_timeout(PATIENCE);
    assert_eq!(actions(&mut fleet), [settle(0, Why::Deserted)]);
    fleet.joined(AgentId(1), 1, ms(70_000));
    fleet.submit(call(1), retrying(1), ms(70_000));
    fleet.lost(AgentId(1), ms(80_000));
    assert_eq!((actions(&mut fleet).len(), fleet.next_timeout()), (1, Some(ms(80_000) + PATIENCE)));
}

#[test]
fn a_shutdown_finishes_what_is_there_and_a_forced_one_does_not() {
    let mut fleet = fleet(&[(1, 1)]);
    (0..3).for_each(|number| fleet.submit(call(number), retrying(3), ms(0)));
    actions(&mut fleet);
    fleet.shut_down(false);
    fleet.submit(call(7), Terms::default(), ms(1));
    assert_eq!(actions(&mut fleet), [settle(7, Why::ShutDown(None))]);
    assert!(fleet.answered(AgentId(1), call(0), 1, ms(2)) && !fleet.is_over());
    assert_eq!(actions(&mut fleet), [send(1, 1, 1), send(2, 1, 1)], "short ones travel ahead");
    fleet.shut_down(true);
    fleet.shut_down(false);
    fleet.lost(AgentId(1), ms(3));
    let ended = Why::ShutDown(Some(AgentId(1)));
    assert_eq!(actions(&mut fleet), [settle(1, ended), settle(2, ended)]);
    assert!(fleet.is_over() && fleet.is_shutting_down());
}

#[test]
fn what_lies_ready_behind_a_long_call_goes_to_whoever_idles() {
    let mut fleet = fleet(&[(1, 1)]);
    fleet.submit(call(0), Terms::default(), ms(0));
    assert!(fleet.answered(AgentId(1), call(0), 1, ms(1)));
    (1..4).for_each(|number| fleet.submit(call(number), Terms::default(), ms(1)));
    assert_eq!(actions(&mut fleet).len(), 4, "all of them are with the one agent");
    assert_eq!(fleet.next_timeout(), None, "nobody idles");
    fleet.joined(AgentId(2), 1, ms(2));
    let look = fleet.next_timeout().unwrap();
    fleet.handle_timeout(look.max(ms(60)));
    let recall = |number| Action::Recall { call: call(number), agent: AgentId(1) };
    assert_eq!(actions(&mut fleet), [recall(3), recall(2)]);
    assert!(fleet.given_back(AgentId(1), call(3), 1, ms(61)) && !fleet.given_back(AgentId(1), call(3), 1, ms(61)));
    assert_eq!(actions(&mut fleet), [send(3, 2, 1)], "the same attempt");
    assert!(fleet.given_back(AgentId(1), call(2), 1, ms(61)));
    assert_eq!(actions(&mut fleet), [], "not to the one where the long call is");
    assert!(fleet.answered(AgentId(2), call(3), 1, ms(62)));
    assert_eq!(actions(&mut fleet), [send(2, 2, 1)]);
}

#[test]
fn who_has_more_workers_is_given_more() {
    let mut fleet = fleet(&[(1, 1)]);
    (0..3).for_each(|number| fleet.submit(call(number), Terms::default(), ms(0)));
    assert_eq!(actions(&mut fleet), [send(0, 1, 1)]);
    fleet.resized(AgentId(1), 3, ms(1));
    assert_eq!((actions(&mut fleet), fleet.slots()), (vec![send(1, 1, 1), send(2, 1, 1)], 3));
}
