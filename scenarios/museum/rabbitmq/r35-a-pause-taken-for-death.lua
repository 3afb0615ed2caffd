-- A consumer that stands still is taken for one that is dead.
--
-- C1 asks for a heartbeat of ten seconds, takes a message, and its process stands still for 25 seconds: a
-- long garbage collection. Nothing comes from it for two intervals, so the broker closes the connection and
-- gives the message to C2, who sends the mail. C1 goes on where it stood, and sends it too.
--
-- With a heartbeat longer than any pause the broker waits, and whoever is really dead is found later.
--
-- Source: RabbitMQ, Detecting Dead TCP Connections with Heartbeats.
return scenario {
  title = "A heartbeat shorter than a pause",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = {} },
  clients = {
    producer "P1" { topic = "orders", records = 2, every = ms(100), start_at = seconds(5) },
    consumer "C1" { topics = { "orders" }, group = "g", prefetch = 1, max_poll = 1, work = seconds(2), effect = "mail" },
    consumer "C2" { topics = { "orders" }, group = "g", prefetch = 1, max_poll = 1, work = seconds(2), effect = "mail", start_at = seconds(15) },
  },
  faults = { at(seconds(6), pause "C1" { duration = seconds(25) }) },
  run_for = seconds(80),
  cases = {
    case "10 seconds" {
      why = "Two intervals are shorter than the pause.",
      set = { ["C1.heartbeat"] = seconds(10) },
      expect = { reaches "heartbeat_missed", violates "effect-duplicate" },
    },
    case "60 seconds" { why = "They are longer.", expect = { holds "effect-duplicate", holds "lost-message" } },
  },
}
