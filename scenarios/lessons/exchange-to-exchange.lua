-- One counter for all, and behind it counters of their own: exchanges that are bound to exchanges.
--
-- Whoever publishes knows one exchange, `events`, and no team. A team has an exchange of its own, and says once what it wants
-- of all events: `orders` takes "order.#", `urgent` takes "*.*.urgent". Queues are bound to the team's own exchange, and come
-- and go without anybody touching `events`.
--
-- The desk wants both. It reads the queues that it has at `orders` and at `urgent`, and gets an urgent order from both: to the
-- broker these are two copies, and nothing marks the second. So it is given an exchange `inbox` that `orders` and `urgent` hand
-- all on to, and one queue there. The urgent order comes to that queue by two ways, and it comes once: a message goes to a set
-- of queues, and an exchange is visited once.
--
-- Source: RabbitMQ, Exchange to Exchange Bindings (docs e2e).
return scenario {
  title = "Exchanges bound to exchanges: by two ways, and once",
  chapter = "docs/rabbitmq/01-the-post-office.md",
  cluster = rabbitmq {},
  topics = {
    events = { exchange = "topic" },
    orders = { exchange = "fanout", sources = { "events" }, source_keys = { "order.#" } },
    urgent = { exchange = "fanout", sources = { "events" }, source_keys = { "*.*.urgent" } },
    inbox = { exchange = "fanout", sources = { "orders", "urgent" } },
  },
  clients = {
    producer "order" { topic = "events", routing_key = "order.eu.new", records = 1, start_at = seconds(1) },
    producer "urgent-order" { topic = "events", routing_key = "order.eu.urgent", records = 1, start_at = seconds(2) },
    producer "alarm" { topic = "events", routing_key = "alarm.us.urgent", records = 1, start_at = seconds(3) },
    consumer "desk" { topics = { "orders", "urgent" } },
    consumer "archive" { topics = { "events" } },
  },
  run_for = seconds(10),
  expect = { holds "lost-message", holds "misdelivered" },
  cases = {
    case "a queue at each" {
      why = "Two queues that both match are two copies.",
      expect = { violates "duplicate-delivery" },
    },
    case "one queue behind both" {
      why = "However many ways lead there, a queue gets one copy.",
      set = { ["desk.topics"] = "inbox" },
      expect = { holds "duplicate-delivery" },
    },
  },
}
