//! How long the calls of each task have waited and run, for a bounded number of tasks.

use super::histogram::Histogram;
use super::stats::TaskStats;

/// So many tasks are told apart, in the order of their first call; all others are one, under [`OTHERS`]. With 6 KiB for
/// each, a pool never keeps more than 400 KiB.
pub(crate) const TASKS_MAX: usize = 64;

/// The name of all tasks beyond those.
pub(crate) const OTHERS: &str = "(other tasks)";

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Tasks(Vec<Times>);

/// The times of one task.
#[derive(Debug)]
struct Times {
    task: &'static str,
    items: u64,
    queue: Histogram,
    run: Histogram,
}

impl Tasks {
    /// One attempt of a call with so many items has waited and run so long, in nanoseconds.
    pub(crate) fn add(&mut self, task: &'static str, items: u32, [queue, run]: [u64; 2]) {
        let times = self.of(task);
        times.items += u64::from(items);
        times.queue.add(queue);
        times.run.add(run);
    }

    pub(crate) fn stats(&self) -> Vec<TaskStats> {
        let stats = self.0.iter().map(|times| TaskStats {
            task: times.task.to_string(),
            items: times.items,
            queue: times.queue.latency(),
            run: times.run.latency(),
        });
        stats.collect()
    }

    fn of(&mut self, task: &'static str) -> &mut Times {
        // Names of the same task are the same piece of memory as a rule, which is seen at once.
        let is_it = |times: &Times| std::ptr::eq(times.task, task) || times.task == task;
        let place = match self.0.iter().position(is_it) {
            Some(place) => place,
            None if self.0.len() > TASKS_MAX => TASKS_MAX,
            None => {
                let task = if self.0.len() == TASKS_MAX { OTHERS } else { task };
                self.0.push(Times { task, items: 0, queue: Histogram::default(), run: Histogram::default() });
                self.0.len() - 1
            }
        };
        &mut self.0[place]
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_task_has_its_own_up_to_a_bound() {
        let names: Vec<&'static str> = (0..TASKS_MAX + 10).map(|at| &*format!("task {at}").leak()).collect();
        let mut tasks = Tasks::default();
        for _ in 0..2 {
            names.iter().for_each(|name| tasks.add(name, 3, [1_000, 2_000]));
        }
        let stats = tasks.stats();
        assert_eq!(stats.len(), TASKS_MAX + 1);
        assert_eq!((stats[0].task.as_str(), stats[0].run.count, stats[0].items), ("task 0", 2, 6));
        assert_eq!((stats[TASKS_MAX].task.as_str(), stats[TASKS_MAX].queue.count), (OTHERS, 20));
        assert!(stats[0].queue.p50 < stats[0].run.p50);
    }
}
