-- Mirrored queues under crashes and cuts: what was confirmed may be gone.
--
-- Three brokers of 3.13, and a queue with a copy on each. At times that the seed draws a broker dies, is cut off for
-- longer or shorter than net_ticktime, or its machine is suspended; one at a time or two at once, as chance has it. When
-- all is over an operator restarts each node in turn, as one must after a partition. The same story with a quorum queue
-- loses nothing.
--
-- Of seeds 1 to 1,000 with "ignore" 436 lose confirmed messages (the first is 3), with "autoheal" 299, with
-- "pause_minority" 23, the quorum queue none.
--
--   mqlab run scenarios/search/mirrored.lua --seeds 1..1000
local faults = {}
local function may(weight, fault)
  for _ = 1, weight do faults[#faults + 1] = fault end
end
for _, long in ipairs { seconds(2), seconds(8) } do may(2, kill "one broker" { duration = long }) end
for _, long in ipairs { seconds(4), seconds(9), seconds(20) } do may(2, isolate "one broker" { duration = long }) end
may(1, pause "one broker" { duration = seconds(15) })
may(1, partition { { "B1", "P1" }, { "rest" }, duration = seconds(15) })

return scenario {
  title = "Mirrored queues under any faults",
  cluster = rabbitmq { profile = "3.13", brokers = 3, net_ticktime = seconds(6), classic_fsync = true },
  topics = { orders = { ha_mode = "all", ha_sync_mode = "automatic" } },
  clients = {
    producer "P1" { topic = "orders", records = 60, every = ms(500), start_at = seconds(5), recovery_interval = ms(500), confirm_timeout = seconds(20), heartbeat = seconds(10) },
    producer "P2" { topic = "orders", records = 60, every = ms(500), start_at = seconds(5), recovery_interval = ms(500), confirm_timeout = seconds(20), heartbeat = seconds(10) },
    consumer "C1" { topics = { "orders" }, group = "g", prefetch = 5, max_poll = 1, work = ms(700), recovery_interval = ms(500), heartbeat = seconds(10) },
  },
  faults = {
    between(seconds(8), seconds(30), 3, table.unpack(faults)),
    at(seconds(60), restart "B1" { duration = seconds(2) }),
    at(seconds(75), restart "B2" { duration = seconds(2) }),
    at(seconds(90), restart "B3" { duration = seconds(2) }),
  },
  run_for = seconds(110),
  cases = {
    case "ignore" {
      why = "Both sides go on, and one is thrown away.",
      expect = { finds "lost-message" },
    },
    case "autoheal" {
      why = "The same, without the operator.",
      set = { cluster_partition_handling = "autoheal" },
      expect = { finds "lost-message" },
    },
    case "pause_minority" {
      why = "The smaller side stops, mostly in time.",
      set = { cluster_partition_handling = "pause_minority" },
      expect = { finds "lost-message" },
    },
    case "quorum queue" {
      why = "A majority has it, or it is not confirmed.",
      set = { ha_mode = "none", queue_type = "quorum" },
      expect = { holds "lost-message" },
    },
  },
}
