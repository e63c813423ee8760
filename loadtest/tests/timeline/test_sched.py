# SPDX-License-Identifier: MIT
"""The kernel's schedule from what `perf script` prints."""

import unittest

from lab.timeline import sched

# CPU 0: from the idle thread to 101; 102 is woken meanwhile, and gets the CPU when 101's time is up; then 102 sleeps and 101 goes on.
LINES = """\
    0 [000] 10.000100000: sched:sched_wakeup: comm=echod pid=101 prio=120 target_cpu=000
    0 [000] 10.000150000: sched:sched_switch: prev_comm=swapper/0 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=echod next_pid=101 next_prio=120
  999 [001] 10.001000000:     sched:sched_wakeup: comm=a b: (c) pid=102 prio=-1 target_cpu=000
  101 [000] 10.004000000: sched:sched_switch: prev_comm=echod prev_pid=101 prev_prio=120 prev_state=R+ ==> next_comm=a b: (c) next_pid=102 next_prio=-1
  102 [000] 10.005500000: sched:sched_switch: prev_comm=a b: (c) prev_pid=102 prev_prio=-1 prev_state=S ==> next_comm=echod next_pid=101 next_prio=120
something else that perf says
  101 [000] 10.007000000: sched:sched_switch: prev_comm=echod prev_pid=101 prev_prio=120 prev_state=D ==> next_comm=swapper/0 next_pid=0 next_prio=120
""".splitlines()


def ms(part):
    return part.tid, round(part.start / 1000 - 10000, 3), round(part.end / 1000 - 10000, 3)


class SchedTest(unittest.TestCase):
    def test_running_and_ready(self):
        found = sched.parse(LINES)
        self.assertEqual([ms(one) for one in found.running], [(101, 0.15, 4.0), (102, 4.0, 5.5), (101, 5.5, 7.0)])
        self.assertEqual([(one.name, one.cpu) for one in found.running], [("echod", 0), ("a b: (c)", 0), ("echod", 0)])
        # Woken, put off the CPU, and woken: each until it gets a CPU. One that slept was not ready.
        self.assertEqual([ms(one) for one in found.ready], [(101, 0.1, 0.15), (102, 1.0, 4.0), (101, 4.0, 5.5)])
        self.assertEqual(found.cpus, [0])

    def test_a_recording_that_begins_in_the_middle(self):
        found = sched.parse(LINES[3:])
        self.assertEqual([ms(one) for one in found.running], [(102, 4.0, 5.5), (101, 5.5, 7.0)])
        self.assertEqual([ms(one) for one in found.ready], [(101, 4.0, 5.5)])

    def test_a_part_of_it(self):
        found = sched.parse(LINES).within(10004500, 10005000, {0})
        self.assertEqual([one.tid for one in found.running], [102])
        self.assertEqual([one.tid for one in found.ready], [101])
        self.assertEqual(sched.parse(LINES).within(0, 2e7, {1}).running, [])
