-- A new release: four members are restarted, one every twenty seconds, and each is back after five. What does the group
-- do?
--
-- Here the processes are killed, as by an orchestrator that has lost patience. A member that comes back is a new one to
-- the coordinator, under a new id, and it asks to join. That ends the generation, and the next one begins when all have
-- joined: also the old self of the one that was killed, of which nobody knows yet that it is dead. So all wait until
-- its session ends, up to 45 s. Before that the next member is killed, and so on: the group is hardly ever at work.
--
-- First case, eager (range): who joins gives up everything first. While they wait nobody reads anything: more than a
-- minute in all, whatever the seed, in which the acknowledged records lie there and the lag grows.
-- Second case, cooperative (cooperative-sticky): it waits as often and as long, but members keep what they have
-- meanwhile. What stands still is what the killed ones had, in the end perhaps everything, for half as long at most.
-- The price: a member that is joining can't commit, so more records come twice.
-- Third case, static members: each has a lasting name. Who returns within its session is the same member, takes its
-- place at once, and no generation ends. Each restart costs its own three partitions its own five seconds.
--
-- No record is lost in any case; it is time that is lost. See how much: mqlab measure on this file.
-- Source: KIP-345 (static), KIP-429 (cooperative); ClassicGroup, GroupCoordinator's rebalance and heartbeat timers.
return scenario {
  title = "A release restarts one member after the other",
  chapter = "docs/kafka/05-rebalancing.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { orders = { partitions = 12, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 2400, every = ms(100), start_at = seconds(10), keys = 240 },
    consumer "K1" { topics = { "orders" }, group = "readers", auto_offset_reset = "earliest" },
    consumer "K2" { topics = { "orders" }, group = "readers", auto_offset_reset = "earliest" },
    consumer "K3" { topics = { "orders" }, group = "readers", auto_offset_reset = "earliest" },
    consumer "K4" { topics = { "orders" }, group = "readers", auto_offset_reset = "earliest" },
  },
  faults = {
    at(seconds(60), kill "K1" { duration = seconds(5) }),
    at(seconds(80), kill "K2" { duration = seconds(5) }),
    at(seconds(100), kill "K3" { duration = seconds(5) }),
    at(seconds(120), kill "K4" { duration = seconds(5) }),
  },
  run_for = minutes(5),
  expect = { holds "lost-message", violates "duplicate-delivery" },
  cases = {
    case "eager" {
      why = "All give up everything, and wait for one that is dead.",
      set = { assignors = "range" },
      expect = { reaches "member_expired", reaches "rebalance_started" },
    },
    case "cooperative" {
      why = "They wait as long, and read on meanwhile.",
      set = { assignors = "cooperative-sticky" },
      expect = { reaches "member_expired", reaches "rebalance_started" },
    },
    case "static" {
      why = "Who is soon back was never away.",
      set = {
        assignors = "range",
        ["K1.instance"] = "k1", ["K2.instance"] = "k2", ["K3.instance"] = "k3", ["K4.instance"] = "k4",
      },
      expect = { reaches "static_member_returned" },
    },
  },
}
