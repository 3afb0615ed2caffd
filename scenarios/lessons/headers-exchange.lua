-- A headers exchange looks at no key: at what a message says of itself, and a binding says how much of it must be so.
--
-- The office has two queues: `docs/0` for European invoices, `docs/1` for reports. With x-match=all (the default) a binding takes a
-- message that has all of its headers, with any one that has one of them. An invoice from the US and a report from Europe each have
-- one half of "type=invoice region=eu". With any, both fall into the first queue as well, and the office does the report twice:
-- once out of each queue.
--
-- And a header can be forgotten. No binding takes such a message, and a confirm says only that the broker has decided: whoever
-- wants to know publishes with `mandatory`.
--
-- Source: RabbitMQ, Headers exchange (docs exchanges), rabbit_exchange_type_headers.
return scenario {
  title = "A headers exchange: all of it, or any of it",
  chapter = "docs/rabbitmq/01-the-post-office.md",
  cluster = rabbitmq {},
  topics = {
    docs = { exchange = "headers", partitions = 2, binding_arguments = { "x-match=all type=invoice region=eu", "type=report" } },
  },
  clients = {
    producer "eu-invoice" { topic = "docs", headers = { "type=invoice", "region=eu" }, records = 1, start_at = seconds(1) },
    producer "eu-report" { topic = "docs", headers = { "type=report", "region=eu" }, records = 1, start_at = seconds(2) },
    producer "us-report" { topic = "docs", headers = { "type=report", "region=us" }, records = 1, start_at = seconds(3) },
    consumer "office" { topics = { "docs" }, effect = "file" },
  },
  run_for = seconds(10),
  cases = {
    case "all" {
      why = "Each queue gets what has all that its binding names.",
      expect = { holds "duplicate-delivery", holds "lost-message" },
    },
    case "any" {
      why = "The European report is European, and that is enough: it is in both queues.",
      set = { ["docs.binding_arguments"] = { "x-match=any type=invoice region=eu", "type=report" } },
      expect = { violates "duplicate-delivery", violates "effect-duplicate", holds "lost-message" },
    },
    case "a header forgotten" {
      why = "Who does not say what it is goes nowhere, and is confirmed.",
      set = { ["eu-invoice.headers"] = { "region=eu" } },
      expect = { violates "lost-message" },
    },
    case "a header forgotten, and mandatory" {
      why = "The same message comes back, and its sender knows.",
      set = { ["eu-invoice.headers"] = { "region=eu" }, mandatory = true },
      expect = { holds "lost-message" },
    },
  },
}
