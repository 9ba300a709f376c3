"""Logs, metrics and alerts.

- `sinks`: Log Analytics, the Azure Monitor workspace and Grafana, which do not depend on the cluster.
- `collection`: the data collection rules of the cluster and of the jump box.
- `scraping`: the scrape jobs of managed Prometheus.
- `recording_rules`: the rule groups in `rule_groups/`, which Grafana's dashboards query.
- `alert_rules`: the alerts that the chat chart ships, as Azure Monitor rule groups.
"""
