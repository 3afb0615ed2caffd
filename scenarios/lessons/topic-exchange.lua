-- One exchange, three interests: who gets what is said by patterns, and by nobody's list of names.
--
-- Events are named region.kind.urgency. What concerns Europe is bound with "eu.#", the desk for urgent things with "*.*.urgent",
-- the archive with "#". A star is one word, a hash any number of them. Each queue whose binding matches gets a copy.
--
-- The fanout exchange looks at no key: each gets all.
--
-- Source: RabbitMQ, Topic exchanges (tutorial five); docs exchanges.
local names = { "eu.order.new", "us.order.new", "eu.alarm.urgent", "us.alarm.urgent", "eu" }

local function publisher(c)
  c:sleep(seconds(1))
  for _, name in ipairs(names) do
    c:send("events", { key = name, body = name })
    c:sleep(ms(100))
  end
end

local wanted = {
  ["events/0"] = "eu.order.new, eu.alarm.urgent, eu",
  ["events/1"] = "eu.alarm.urgent, us.alarm.urgent",
  ["events/2"] = table.concat(names, ", "),
}

local function reader(place)
  return function(c)
    c:assign(place)
    local got = {}
    while c:now() < seconds(5) do
      for _, event in ipairs(c:poll(seconds(1))) do
        got[#got + 1] = event.key
        c:ack(event)
      end
    end
    local has = table.concat(got, ", ")
    local want = c.options.by_pattern and wanted[place] or wanted["events/2"]
    c:mark(has == want and "has_" .. c.name or "has_something_else", has)
  end
end

return scenario {
  title = "A topic exchange: patterns instead of addresses",
  chapter = "docs/rabbitmq/01-the-post-office.md",
  cluster = rabbitmq {},
  marks = { "has_europe", "has_urgent", "has_archive", "has_something_else" },
  topics = { events = { exchange = "topic", partitions = 3, binding_keys = { "eu.#", "*.*.urgent", "#" } } },
  knobs = { by_pattern = true },
  clients = {
    client "P" { program = publisher },
    client "europe" { program = reader("events/0"), group = "g" },
    client "urgent" { program = reader("events/1"), group = "g" },
    client "archive" { program = reader("events/2"), group = "g" },
  },
  run_for = seconds(10),
  expect = { reaches "has_europe", reaches "has_urgent", reaches "has_archive" },
  cases = {
    case "topic" { why = "Each by its pattern." },
    case "fanout" { why = "All to all.", set = { ["events.exchange"] = "fanout", by_pattern = false } },
  },
}
