/** Published columns in their order in the files, and our features. */
export const FRAUD_COLUMNS: Readonly<Record<string, string>> = {
  TX_DURING_WEEKEND: 'txDuringWeekend',
  TX_DURING_NIGHT: 'txDuringNight',
  CUSTOMER_ID_NB_TX_1DAY_WINDOW: 'customerTxCount1d',
  CUSTOMER_ID_AVG_AMOUNT_1DAY_WINDOW: 'customerAvgAmount1d',
  CUSTOMER_ID_NB_TX_7DAY_WINDOW: 'customerTxCount7d',
  CUSTOMER_ID_AVG_AMOUNT_7DAY_WINDOW: 'customerAvgAmount7d',
  CUSTOMER_ID_NB_TX_30DAY_WINDOW: 'customerTxCount30d',
  CUSTOMER_ID_AVG_AMOUNT_30DAY_WINDOW: 'customerAvgAmount30d',
  TERMINAL_ID_NB_TX_1DAY_WINDOW: 'terminalTxCount1d',
  TERMINAL_ID_RISK_1DAY_WINDOW: 'terminalRisk1d',
  TERMINAL_ID_NB_TX_7DAY_WINDOW: 'terminalTxCount7d',
  TERMINAL_ID_RISK_7DAY_WINDOW: 'terminalRisk7d',
  TERMINAL_ID_NB_TX_30DAY_WINDOW: 'terminalTxCount30d',
  TERMINAL_ID_RISK_30DAY_WINDOW: 'terminalRisk30d',
};
