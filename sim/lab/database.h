// sim/lab/database.h: a database with transactions, one node.
//
// The rule: optimistic. A transaction reads what is committed and its own writes; at its end everything it has read is
// read again, and if anything differs it ends CONFLICT (the first committer wins). So the order of commits is a serial
// order. With isolation = "read_committed" reads are not looked at again; keys, unique columns and expected versions are.
//
// Durability: a write-ahead log, file 0 of its disk, one unit a record. A commit is answered when its record is synced; what
// the process and the disk lose is lost, and the log is replayed at the start. A prepared transaction is in the log too:
// it outlives crashes and keeps its locks until somebody decides.
//
// Always true: 1. nobody sees a write before its transaction's commit. 2. one worker: what comes behind a commit waits for its
// sync, so nobody sees what a loss of power could still take away from an honest disk. 3. sequence numbers are handed out by
// statements: a later number may commit first, and a number may be missing for ever.
// Not here: group commit, checkpoints (the log is kept whole), deadlocks (nobody waits: a row under a prepared transaction's
// lock answers LOCKED), replicas.
// Sources: Kung & Robinson, "On Optimistic Methods for Concurrency Control" (1981), serial validation; PostgreSQL documentation,
// PREPARE TRANSACTION and CREATE SEQUENCE; src/backend/commands/sequence.c (SEQ_LOG_VALS).
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/lab/service.h"

namespace mqlab {

struct DatabaseSettings {
  std::vector<TableSpec> tables{};
  bool sync = true;          // durability = "fsync"
  bool serializable = true;
};

class Database : public ServiceNode {
 public:
  explicit Database(DatabaseSettings settings) : settings_(std::move(settings)), tables_(settings_.tables.size()) {}
  std::unique_ptr<Node> clone() const override { return std::make_unique<Database>(*this); }

  void on_start(Context& c) override;
  void on_message(Context& c, const Message& m) override;
  void on_timer(Context& c, TimerKind kind, std::uint64_t argument) override;
  void on_closed(Context& c, ConnId connection, NodeId peer, CloseReason reason) override;
  void on_crash(const Crash& crash) override;
  Tree state() const override;

  // --- looking, for tests and views ---
  std::vector<Row> rows(const std::string& table) const;
  std::vector<std::string> in_doubt() const;
  std::size_t log_records() const { return log_.size(); }

 private:
  using At = std::pair<std::size_t, Cell>;  // table, key

  struct Stored {
    Columns columns{};
    std::int64_t version{};
    std::int64_t sequence{};
  };
  struct Table {
    std::map<Cell, Stored> rows{};
    std::map<std::pair<std::string, Cell>, Cell> unique{};  // column and value -> key
    std::int64_t next_sequence = 1;
    std::int64_t reserved = 1;  // numbers below are in the log
  };
  struct Write {
    enum class How : std::uint8_t { put, update, erase } how{};
    bool is_new = false;         // an insert: nobody else may have inserted the key meanwhile
    Columns columns{};
    std::int64_t sequence{};     // for a row that is not there yet
  };
  struct Effect {
    std::string name{};
    MessageId message = no_message;
    std::uint32_t key{};
    NodeId client = nobody;
  };
  struct Scanned {
    std::size_t table{};
    ScanSpec spec{};
    std::map<At, Write> own{};                          // what the transaction had written by then
    std::vector<std::pair<Cell, std::int64_t>> rows{};  // keys and versions that it saw
  };
  // What a transaction has read and means to do.
  struct Work {
    std::map<At, Write> writes{};
    std::map<At, std::int64_t> reads{};     // versions; 0 = nothing was there
    std::map<At, std::int64_t> expected{};  // ... that were asked for
    std::vector<Scanned> scans{};
    std::vector<Effect> effects{};
  };
  struct Record {
    enum class Kind : std::uint8_t { commit, prepare, commit_prepared, rollback_prepared, sequence } kind{};
    std::int64_t serial{};  // never used twice, whatever is lost: rows have it as their version
    std::string id{};
    Work work{};
    std::size_t table{};    // sequence
    std::int64_t number{};  // ... numbers below are taken
  };
  struct Untold {
    std::int64_t serial{};
    std::vector<Effect> effects{};
  };

  // --- database.cpp: messages, recovery ---
  std::string append(Context& c, Record record);
  void replay(const Record& r);
  void tell_later(Context& c, std::int64_t serial, std::vector<Effect> effects);

  // --- database_statements.cpp ---
  void statement(Context& c, Work& work, const DbRequest& in, NodeId client, DbReply& out);
  std::optional<std::size_t> find_table(const std::string& name) const;
  std::optional<Row> visible(const Work& work, const At& at) const;
  std::vector<Row> scan(const Work& work, std::size_t table, const ScanSpec& spec) const;
  bool unique_taken(const Work& work, const At& at, const Columns& columns) const;
  std::int64_t next_sequence(Context& c, std::size_t table, std::string& error);
  void read(Work& work, const At& at) const;

  // --- database_commit.cpp ---
  void finish(Context& c, ConnId connection, const DbRequest& in, DbReply& out);
  std::string validate(const Work& work) const;
  bool locked(const Work& work) const;
  void apply(const Work& work, std::int64_t serial);

  DatabaseSettings settings_;

  // On the disk: what of it survives is the disk's word.
  std::vector<Record> log_;
  // Of the laboratory, not of the database: outlives everything.
  std::int64_t next_serial_ = 1;
  std::int64_t told_ = 0;  // effects of records up to here are in the history

  // In memory.
  std::vector<Table> tables_;
  std::map<std::pair<ConnId, std::uint64_t>, Work> open_{};
  std::map<std::string, Work> prepared_{};
  std::vector<Untold> untold_{};
  bool down_ = false;      // the log could not be synced: it goes down rather than to go on with what may be lost
};

}  // namespace mqlab
