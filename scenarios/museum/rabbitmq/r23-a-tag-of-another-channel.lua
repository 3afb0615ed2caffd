-- A delivery tag means something on its own channel only.
--
-- The connection of C1 breaks while C1 works on a message that had tag 1. The message goes to C2, C1 connects
-- again, and the new channel gives it others, from tag 1 on. A client that keeps tags over a reconnection
-- confirms the old message under its old tag, and with it a new one that it has not begun. When C1 dies,
-- nobody has that one.
--
-- A client that forgets what the old channel delivered confirms nothing it has not done.
--
-- Source: RabbitMQ, Consumer Acknowledgements ("delivery tags are scoped per channel").
return scenario {
  title = "Acknowledged by a tag of the channel before",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = {} },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(200), start_at = seconds(1) },
    consumer "C1" { topics = { "orders" }, group = "g", prefetch = 2, max_poll = 2, work = seconds(2), effect = "mail", recovery_interval = ms(500) },
    consumer "C2" { topics = { "orders" }, group = "g", prefetch = 0, max_poll = 1, work = ms(10), effect = "mail", start_at = ms(1100) },
  },
  faults = {
    at(ms(1500), reset_streams { from = "C1", to = "B1" }),
    at(seconds(4), kill "C1" { duration = seconds(2) }),
  },
  run_for = seconds(40),
  expect = { reaches "connection_lost" },
  cases = {
    case "tags are kept" {
      why = "They name other messages now.",
      set = { reuses_tags = true },
      expect = { violates "effect-lost" },
    },
    case "tags go with their channel" { why = "What was not confirmed comes again.", expect = { holds "effect-lost", holds "lost-message" } },
  },
}
