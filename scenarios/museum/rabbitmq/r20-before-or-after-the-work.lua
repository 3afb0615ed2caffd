-- The acknowledgement and the work: one of them comes first, and the consumer may die in between.
--
-- C acknowledges a message and then sends the mail that it asks for, and dies before it did: the message is
-- gone, and the mail was never sent. The other way round it dies after the mail and before the
-- acknowledgement: the message comes again, and the mail is sent twice. There is no third order. What helps
-- is work that may be done twice.
--
-- Source: RabbitMQ, Reliability Guide (acknowledgements and confirms).
return scenario {
  title = "Acknowledge first, or work first",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = {} },
  clients = {
    producer "P1" { topic = "orders", records = 6, every = ms(10), start_at = seconds(1) },
    consumer "C" { topics = { "orders" }, work = ms(500), max_poll = 2, effect = "mail" },
  },
  faults = { at(ms(3100), kill "C" { duration = seconds(2) }) },
  run_for = seconds(30),
  cases = {
    case "acknowledged first" {
      why = "What was acknowledged and not done is done by nobody.",
      set = { early_ack = true },
      expect = { violates "effect-lost", violates "commit-ahead-of-processing", holds "effect-duplicate" },
    },
    case "worked first" {
      why = "What was done and not acknowledged is done again.",
      expect = { holds "effect-lost", violates "effect-duplicate" },
    },
  },
}
