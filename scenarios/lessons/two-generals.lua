-- Two generals can win only together, and can speak only by messengers who may be caught. A proposes
-- to attack at dawn, B confirms, A confirms the confirmation, and so on, for as many messages as was
-- agreed. Each attacks if all came that was to come to it. Whatever the number: when the last
-- messenger is caught, whoever sent him attacks, and the other does not. One message more does not
-- help; it only makes another one the last.
local messages = 4

-- The general's part: it answers message n by message n + 1, and needs the last one that is addressed to it.
local function general(name, other, first)
  return node(name) {
    durable = { got = 0 },
    on_start = function(self)
      if first then self:timer(seconds(1), "proposes") end
      self:timer(seconds(10), "dawn")
    end,
    on_message = function(self, from, kind, message)
      self.durable.got = message.n
      if message.n < messages then self:datagram(other, "messenger", { n = message.n + 1 }) end
    end,
    on_timer = function(self, what)
      if what == "proposes" then return self:datagram(other, "messenger", { n = 1 }) end
      local last_to_me = (messages % 2 == 0) == first and messages or messages - 1
      if self.durable.got >= last_to_me then self:mark("attacks", "got message " .. self.durable.got)
      else self:mark("stays", "got message " .. self.durable.got .. ", waited for " .. last_to_me) end
    end,
  }
end

return scenario {
  title = "Two generals, and the last messenger",
  chapter = "docs/exactly-once/01-what-cannot-be.md",
  nodes = { general("A", "B", true), general("B", "A", false) },
  messages = { "messenger" },
  marks = { "attacks", "stays" },
  run_for = seconds(20),
  cases = {
    case "every messenger comes through" { expect = { reaches "attacks" } },
    case "the last one is caught" {
      why = "its sender can't know: the next message would be the last",
      faults = { at(0, drop "messenger" { nth = messages }) },
      expect = { reaches "attacks", reaches "stays" },
    },
    case "an earlier one is caught" {
      why = "both miss something, so both stay: safe, and no battle",
      faults = { at(0, drop "messenger" { nth = messages - 1 }) },
      expect = { reaches "stays" },
    },
  },
}
