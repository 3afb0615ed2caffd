-- A message that was written to the socket, and nobody took it.
--
-- Without confirms a publish is done when the client's library has written it. The wire is cut between
-- P1 and the broker: what P1 publishes from then on lies in the socket, and every publish went well, as
-- far as P1 knows. The broker dies meanwhile, and with its connections goes what was on its way to it.
-- P1 connects again and goes on with the next message.
--
-- With confirms a publish is done when the broker says so. What was not confirmed is of unknown outcome,
-- and P1 sends it again: some of it may then be there twice.
--
-- Source: RabbitMQ, Consumer Acknowledgements and Publisher Confirms.
return scenario {
  title = "Published without confirms while the wire is cut",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = {} },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(100), start_at = seconds(1), resend = true, recovery_interval = seconds(1) },
    consumer "C" { topics = { "orders" }, recovery_interval = seconds(1) },
  },
  faults = {
    at(ms(1550), partition { { "P1" }, { "B1", "C" } }),
    at(ms(2050), kill "B1" { duration = ms(500) }),
    at(ms(2600), heal()),
  },
  run_for = seconds(30),
  expect = { reaches "connection_lost" },
  cases = {
    case "without confirms" {
      why = "What lies in the socket is nobody's.",
      set = { confirms = false },
      expect = { violates "lost-message" },
    },
    case "with confirms" {
      why = "What is not confirmed is sent again.",
      expect = { holds "lost-message" },
    },
  },
}
