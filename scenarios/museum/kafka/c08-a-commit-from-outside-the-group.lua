-- Somebody wants a quick look at a topic, with a tool made from the service's own code: same settings, same group.id,
-- and it commits what it has read. It picks its partition by hand (assign), so it joins no group, and takes nothing
-- away from anybody. What can it do to the service?
--
-- A commit is checked against the group's members: who sends it, in which generation. A client that has joined nothing
-- has neither, and its commit is taken only if the group is empty. But the coordinator can't tell a group that never
-- has members from one whose members are all down for the moment. K1 is being deployed: it has committed and left in
-- good order, and will be back in half a minute. X looks meanwhile.
--
-- First case: X begins where the group stands, prints what has come since, and commits. K1 comes back, and begins
-- behind it: these records were seen, and nobody will ever work on them. There is no error, and no lag.
-- Second case: X looks at the first ten records, and commits. The group stands at 10 now, and K1 does the rest again.
-- Third case: the first once more, while K1 is at work. X's commit is refused: UNKNOWN_MEMBER_ID.
-- Fourth case: X does not commit. With enable.auto.commit, the default, that takes care: the library commits when X
-- closes. A group.id of its own, or none, is safer.
--
-- Source: ClassicGroup.validateOffsetCommit; KafkaConsumer javadoc, "manual partition assignment"; KIP-289.

local function look(c)
  local o = c.options
  c:sleep(o.start_at)
  c:assign("orders/0", o.seek_to >= 0 and o.seek_to or nil)
  local got = c:poll(o.poll_timeout)
  c:log(#got .. " records printed")
  if o.commit == "after" then c:commit() end
  c:close()
end

return scenario {
  title = "A look with the service's own group.id",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 300, every = ms(200), start_at = seconds(1) },
    consumer "K1" {
      topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", assignors = "range", work = ms(10),
      effect = "sent a parcel",
    },
    client "X" {
      topics = { "orders" }, group = "readers", auto_commit = "off", commit = "after", start_at = seconds(35),
      program = look,
    },
  },
  faults = { at(seconds(20), stop "K1" { duration = seconds(30) }) },
  run_for = minutes(2),
  cases = {
    case "what is new, and nobody is there" {
      why = "The group jumps over records that nobody has worked on.",
      expect = { violates "effect-lost", violates "commit-ahead-of-processing", holds "effect-duplicate" },
    },
    case "the first ten, and nobody is there" {
      why = "The group goes back.",
      set = { ["X.seek_to"] = 0, ["X.max_poll_records"] = 10 },
      expect = { violates "position-regression", violates "effect-duplicate", holds "effect-lost" },
    },
    case "what is new, and K1 is there" {
      why = "Only members commit for a group that has some.",
      only_faults = {},
      expect = {
        reaches "commit_refused", holds "effect-lost", holds "commit-ahead-of-processing", holds "effect-duplicate",
        holds "position-regression",
      },
    },
    case "a look that does not commit" {
      why = "The group stays where K1 has left it.",
      set = { ["X.commit"] = "library" }, -- and auto_commit is off
      expect = {
        holds "effect-lost", holds "commit-ahead-of-processing", holds "effect-duplicate", holds "position-regression",
      },
    },
  },
}
