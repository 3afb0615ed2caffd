-- With `mandatory` alone a publisher hears of what came back, if it hears anything.
--
-- C's queue is deleted by mistake, and C declares it again five seconds later. What P1 publishes meanwhile comes back: its
-- return listener publishes it once more after a rest, until a queue takes it. Without confirms that is all that P1 ever
-- hears, and silence means that all is well. Then the connection breaks with returns on their way: P1 knows nothing of
-- them, and nobody has those messages.
--
-- With confirms silence means nothing: what was not confirmed when the connection broke is sent again.
--
-- Source: RabbitMQ, Publishers ("unroutable messages"), Publisher Confirms.
return scenario {
  title = "Mandatory, and the connection breaks before the return is there",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = {} },
  clients = {
    producer "P1" {
      topic = "orders", records = 40, every = ms(100), start_at = seconds(1), mandatory = true, resend = true, resend_limit = 1000,
      recovery_interval = ms(500),
    },
    consumer "C" { topics = { "orders" } },
  },
  faults = {
    at(seconds(2), command("B1", "delete_queue", "orders.C")),
    at(ms(3450), hold "basic.return" { from = "B1", to = "P1", count = 100 }),
    at(ms(4050), reset_streams { from = "P1", to = "B1" }),
  },
  run_for = seconds(30),
  expect = { reaches "message_returned", reaches "connection_lost" },
  cases = {
    case "mandatory alone" {
      why = "No return, so it arrived.",
      set = { confirms = false },
      expect = { violates "lost-message" },
    },
    case "with confirms" {
      why = "No confirm, so nobody knows.",
      expect = { holds "lost-message" },
    },
  },
}
