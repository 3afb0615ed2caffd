// models/kafka/ledger.h: rule by rule, where it is written and which test or scenario holds it.
//
// Always true (tests/kafka/ledger_test.cpp): each row names a source, and files that exist: `kafka/log_test` is
// tests/kafka/log_test.cpp, `museum/kafka/...` and `showcase` are scenarios.
// Elsewhere: which handler carries a rule out (README.md), what is not modelled (declaration.cpp).
#pragma once

#include <vector>

#include "sim/lab/model.h"

namespace mqlab::kafka {

std::vector<RuleDecl> declared_ledger();

}  // namespace mqlab::kafka
