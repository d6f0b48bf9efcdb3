"""Google's own analyzer (GoogleSQL, compiled to WebAssembly) for our statements, with a catalog of our tables.

The emulator and sqlglot accept statements that BigQuery refuses. The analyzer resolves names, types and grouping as
BigQuery does. It does not know the contents of datasets, partitions, permissions or limits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zetasql.api import Analyzer
from zetasql.core import wasm_client
from zetasql.types import (
    AnalyzerOptions,
    ArrayType,
    FunctionArgumentType,
    FunctionArgumentTypeOptions,
    FunctionEnums,
    FunctionSignature,
    LanguageFeature,
    LanguageOptions,
    NameResolutionMode,
    ProductMode,
    SignatureArgumentKind,
    SimpleCatalog,
    SimpleColumn,
    SimpleTable,
    StructField,
    StructType,
    TableValuedFunction,
    TVFRelation,
    TVFRelationColumn,
    Type,
    TypeKind,
    ZetaSQLBuiltinFunctionOptions,
)
from zetasql.types import Function as CatalogFunction

# Only the features in BigQuery's documentation. With all features the analyzer would accept more than BigQuery does.
FEATURES = (
    "ANALYTIC_FUNCTIONS TABLESAMPLE DISALLOW_GROUP_BY_FLOAT TABLE_VALUED_FUNCTIONS CREATE_TABLE_FUNCTION "
    "TEMPLATE_FUNCTIONS CREATE_TABLE_PARTITION_BY CREATE_TABLE_CLUSTER_BY CREATE_TABLE_NOT_NULL "
    "CREATE_TABLE_FIELD_ANNOTATIONS NUMERIC_TYPE BIGNUMERIC_TYPE GEOGRAPHY JSON_TYPE JSON_ARRAY_FUNCTIONS "
    "JSON_VALUE_EXTRACTION_FUNCTIONS INTERVAL_TYPE PARAMETERIZED_TYPES NAMED_ARGUMENTS WITH_ON_SUBQUERY "
    "SELECT_STAR_EXCEPT_REPLACE ORDER_BY_IN_AGGREGATE LIMIT_IN_AGGREGATE HAVING_IN_AGGREGATE "
    "NULL_HANDLING_MODIFIER_IN_ANALYTIC NULL_HANDLING_MODIFIER_IN_AGGREGATE FOR_SYSTEM_TIME_AS_OF CIVIL_TIME "
    "SAFE_FUNCTION_CALL WEEK_WITH_WEEKDAY ARRAY_ORDERING NULLS_FIRST_LAST_IN_ORDER_BY ALLOW_DASHES_IN_TABLE_NAME "
    "CONCAT_MIXED_TYPES WITH_RECURSIVE DECIMAL_ALIAS DATE_TIME_CONSTRUCTORS DATE_ARITHMETICS "
    "ADDITIONAL_STRING_FUNCTIONS EXTENDED_DATE_TIME_SIGNATURES PIVOT UNPIVOT IS_DISTINCT FORMAT_IN_CAST QUALIFY "
    "GROUP_BY_ROLLUP GROUP_BY_STRUCT GROUP_BY_ARRAY CREATE_VIEWS_WITH_COLUMN_OPTIONS "
)

_TYPES = {"STRING", "INT64", "FLOAT64", "BOOL", "TIMESTAMP", "DATE", "DATETIME", "JSON", "BYTES"}


class _CachedConfig(wasm_client.Config):
    """A configuration with a cache. Otherwise each process compiles 28 MB, which takes half a minute."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = True


wasm_client.Config = _CachedConfig


def type_of(text: str) -> Type:
    """Return the analyzer's type for a type in DDL."""
    text = " ".join(text.split())
    if match := re.fullmatch(r"ARRAY<(.*)>", text):
        return Type(type_kind=TypeKind.TYPE_ARRAY, array_type=ArrayType(element_type=type_of(match[1])))
    if match := re.fullmatch(r"STRUCT<([^<>]*)>", text):
        pairs = (part.split() for part in match[1].split(","))
        fields = [StructField(field_name=name, field_type=type_of(kind)) for name, kind in pairs]
        return Type(type_kind=TypeKind.TYPE_STRUCT, struct_type=StructType(field=fields))
    if text not in _TYPES:
        raise ValueError(f"no type {text!r}")
    return Type(type_kind=TypeKind["TYPE_DOUBLE" if text == "FLOAT64" else f"TYPE_{text}"])


@dataclass
class Google:
    """An analyzer with its catalog of tables, views and functions by ``dataset.name``."""

    language: LanguageOptions = field(init=False)
    datasets: dict[str, SimpleCatalog] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.language = LanguageOptions(
            name_resolution_mode=NameResolutionMode.NAME_RESOLUTION_DEFAULT,
            product_mode=ProductMode.PRODUCT_EXTERNAL,
            enabled_language_features=[LanguageFeature[f"FEATURE_{name}"] for name in FEATURES.split()],
            supported_statement_kinds=[],
        )

    def add_table(self, name: str, columns: Mapping[str, Type | str]) -> None:
        """Add a table or view to the catalog. A type may be the analyzer's or text as in DDL."""
        dataset, short = name.split(".")
        table = SimpleTable(name=short, column=[])
        for column, kind in columns.items():
            kind = type_of(kind) if isinstance(kind, str) else kind
            table.column.append(SimpleColumn(name=column, type=kind))
        self._dataset(dataset).table.append(table)

    def create(self, statement: str) -> Any:
        """Analyze a CREATE statement, and add its object to the catalog."""
        found = self.analyze(statement)
        dataset, short = found.name_path
        kind = type(found).__name__
        if kind == "ResolvedCreateTableStmt":
            self.add_table(f"{dataset}.{short}", {c.name: c.type for c in found.column_definition_list})
        elif kind == "ResolvedCreateViewStmt":
            self.add_table(f"{dataset}.{short}", {c.name: c.column.type for c in found.output_column_list})
        elif kind == "ResolvedCreateTableFunctionStmt":
            self._dataset(dataset).custom_tvf.append(_table_function(short, found))
        elif kind == "ResolvedCreateFunctionStmt":
            function = CatalogFunction(
                name_path=[short], group="ours", mode=FunctionEnums.Mode.SCALAR, signature=[found.signature]
            )
            self._dataset(dataset).custom_function.append(function)
        else:
            raise AssertionError(kind)
        return found

    def analyze(self, statement: str, parameters: Mapping[str, str] | None = None) -> Any:
        """Return the resolved statement. ``parameters`` maps names to types as in DDL.

        Raises the analyzer's error, with the text that BigQuery would show.
        """
        options = AnalyzerOptions(
            language_options=self.language,
            default_timezone="UTC",
            query_parameters=[
                AnalyzerOptions.QueryParameter(name=name, type=type_of(kind))
                for name, kind in (parameters or {}).items()
            ],
        )
        catalog = SimpleCatalog(
            name="project",
            catalog=list(self.datasets.values()),
            builtin_function_options=ZetaSQLBuiltinFunctionOptions(language_options=self.language),
        )
        return Analyzer(options, catalog).analyze_statement(statement)

    def _dataset(self, name: str) -> SimpleCatalog:
        return self.datasets.setdefault(name, SimpleCatalog(name=name))


def _table_function(name: str, found: Any) -> TableValuedFunction:
    arguments = [
        FunctionArgumentType(
            kind=SignatureArgumentKind.ARG_TYPE_FIXED,
            type=argument.type,
            num_occurrences=1,
            options=FunctionArgumentTypeOptions(argument_name=argument.options.argument_name),
        )
        for argument in found.signature.argument
    ]
    columns = [TVFRelationColumn(name=c.name, type=c.column.type) for c in found.output_column_list]
    relation = TVFRelation(column=columns, is_value_table=False)
    returns = FunctionArgumentType(
        kind=SignatureArgumentKind.ARG_TYPE_RELATION,
        num_occurrences=1,
        options=FunctionArgumentTypeOptions(relation_input_schema=relation),
    )
    return TableValuedFunction(
        name_path=[name],
        signature=FunctionSignature(argument=arguments, return_type=returns),
        type=FunctionEnums.TableValuedFunctionType.FIXED_OUTPUT_SCHEMA_TVF,
    )
