// sim/hunt/property.h: what is demanded of every run of a hunt.
//
// A property is a list of demands, written with commas: "promises", "settles", "expected", or names of anomalies that must not
// be seen. It is asked of a run that is over, and answers with the breaches, the most telling sentence of each beside it.
//
// The rule: a run that decides nothing breaks nothing, and counts as nothing either: `tested` tells the two apart.
//
//     Property p = parse_property("promises, settles");
//     for (const Breach& b : breaches(p, run)) print(b.anomaly, b.sentence);
#pragma once

#include <span>
#include <string>
#include <vector>

#include "sim/lab/run.h"

namespace mqlab {

struct Property {
  std::string name;                    // as it was written
  bool promises = false;               // nothing that the model promises is broken, as deployed and under the run's faults,
                                       // apart from what the scenario announces (violates, finds)
  bool settles = false;                // after the faults are healed all comes to rest within the drain's limit; not asked where
                                       // half of the disks of one role were emptied, and with them what was known
  bool expected = false;               // what the scenario expects
  std::vector<std::string> anomalies;  // none of these is seen, promised or not
};

struct PropertyDecl {
  std::string name;
  std::string sentence;
};
// The words besides the anomalies' names.
std::span<const PropertyDecl> property_words();

// Throws InputError, with the nearest right word.
Property parse_property(const std::string& text);

struct Breach {
  std::string anomaly;              // by name; "not-settled"; of an expectation the mark or anomaly that it names
  const VerdictRow* row = nullptr;  // of the run; null where no checker decides it
  std::string sentence;
};

// In the order of the run's verdicts, each anomaly once. The run must outlive them.
std::vector<Breach> breaches(const Property& p, const RunResult& r);

// The run says something about the property: a checker had evidence, the drain was tried, something was expected.
bool tested(const Property& p, const RunResult& r);

}  // namespace mqlab
