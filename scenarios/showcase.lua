-- Who must have a record before the producer is told that it is safe?
--
-- B1 leads the partition and is cut off from the other brokers and from the controller, while the
-- producer still reaches it. With acks=1 the cut-off leader goes on acknowledging alone; the others
-- elect B2, and when the cut heals, B1 throws away what only it had. With acks=all and min_insync=2
-- nothing is acknowledged that one broker could lose by itself.
return scenario {
  title = "A cut-off leader keeps acknowledging",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = seconds(1), start_at = seconds(5) },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(seconds(10), partition { { "B1", "P1" }, { "B2", "B3", "C1", "C" } }),
    at(seconds(40), heal()),
  },
  run_for = seconds(60),
  expect = { reaches "leader_elected" },
  cases = {
    case "acks=1" { why = "The leader answers alone.", set = { acks = "1" }, expect = { violates "lost-message" } },
    case "acks=all" { why = "Two brokers must have it.", set = { acks = "all" }, expect = { holds "lost-message" } },
  },
}
