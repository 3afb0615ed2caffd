-- What does it cost a group that its members come and go?
--
-- Four consumers share twelve partitions, and the same five minutes happen to each group: a member
-- joins (40 s), one is stopped in good order and started again 5 s later (80 s), one is killed and
-- comes back after 5 s (120 s), and one stands still for a minute, as in a long garbage collection
-- (190 s). Only the rules differ by which the group deals its partitions out:
--
--   eager        everybody gives up everything, and when all are there, all is dealt anew
--   cooperative  everybody keeps reading and gives up what is to move, which takes a second round
--   KIP-848      the coordinator assigns, and no member waits for another
--   static       eager, but members have lasting names: who is soon back has missed nothing
--
-- `mqlab measure` on this file prints what each of them cost. No record is lost in any of them.
--
-- Source: KIP-429 (cooperative), KIP-345 (static), KIP-848; AbstractCoordinator, ConsumerCoordinator,
-- ClassicGroup.
return scenario {
  title = "Four ways to share twelve partitions",
  chapter = "docs/kafka/05-rebalancing.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 12, replicas = 3 } },
  clients = {
    producer "P" { topic = "orders", records = 13000, every = ms(20), start_at = seconds(15), keys = 240 },
    consumer "K1" { topics = { "orders" }, group = "readers", auto_offset_reset = "earliest" },
    consumer "K2" { topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", start_at = seconds(1) },
    consumer "K3" { topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", start_at = seconds(2) },
    consumer "K4" { topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", start_at = seconds(40) },
  },
  faults = {
    at(seconds(80), stop "K2" { duration = seconds(5) }),
    at(seconds(120), kill "K3" { duration = seconds(5) }),
    at(seconds(190), pause "K1" { duration = seconds(60) }),
  },
  run_for = seconds(280),
  expect = { holds "lost-message", violates "duplicate-delivery" },
  cases = {
    case "eager" {
      why = "All stop, then all is dealt anew.",
      set = { assignors = "range" },
      expect = { reaches "generation_began", reaches "member_expired" },
    },
    case "cooperative" {
      why = "Only what moves stops.",
      set = { assignors = "cooperative-sticky" },
      expect = { reaches "generation_began", reaches "member_expired" },
    },
    case "KIP-848" {
      why = "The coordinator assigns; nobody waits.",
      set = { group_protocol = "consumer", assignors = "uniform" },
      expect = { reaches "group_epoch_bumped" },
    },
    case "static" {
      why = "Who is soon back has missed nothing.",
      set = { assignors = "range", ["K1.instance"] = "k1", ["K2.instance"] = "k2", ["K3.instance"] = "k3", ["K4.instance"] = "k4" },
      expect = { reaches "static_member_returned", reaches "member_expired" },
    },
  },
}
