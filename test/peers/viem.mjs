// A dapp with viem, as test/e2e runs it: node viem.mjs NETWORK KEY CID, where NETWORK is
// the line that tidegate devnet --json prints. Prints what it saw as JSON.
import { createPublicClient, createWalletClient, defineChain, http, parseAbi, parseEther, parseEventLogs, webSocket } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

const network = JSON.parse(process.argv[2])
const account = privateKeyToAccount(process.argv[3])
const cid = process.argv[4]

const chain = defineChain({
  id: network.chainId,
  name: 'devnet',
  nativeCurrency: { name: 'Filecoin', symbol: 'FIL', decimals: 18 },
  rpcUrls: { default: { http: [network.rpc], webSocket: [network.ws] } },
})
const reader = createPublicClient({ chain, transport: http(), pollingInterval: 200 })
const wallet = createWalletClient({ chain, transport: http(), account })
const pinning = {
  address: network.contracts.EstuaryPinning,
  abi: parseAbi([
    'function quotePin() view returns (uint96 fee, uint96 attemptFee)',
    'function pinToEstuary(string cid) payable returns (bytes32 requestId)',
    'function statusOf(string cid) view returns (uint8)',
    'event PinRequested(bytes32 indexed requestId, bytes32 indexed cidHash, address indexed requester, uint64 seq, bytes cid, uint64 maxBytes, uint40 expiry)',
    'error EstuaryProvider_Underpaid(uint256 sent, uint256 needed)',
  ]),
}
const saw = {}

// A transfer to an account that never was.
const stranger = '0x00000000000000000000000000000000000a11ce'
const transfer = await wallet.sendTransaction({ to: stranger, value: parseEther('1.5') })
saw.transfer = (await reader.waitForTransactionReceipt({ hash: transfer })).status
saw.balance = (await reader.getBalance({ address: stranger })).toString()

// Over WebSocket a new head comes with the next transaction, which must not be sent before the
// subscription is made: no other comes after it.
const subscriber = createPublicClient({ chain, transport: webSocket() })
let seen, failed
const head = new Promise((resolve, reject) => { [seen, failed] = [resolve, reject] })
const { unsubscribe } = await subscriber.transport.subscribe({
  params: ['newHeads'], onData: ({ result }) => seen(BigInt(result.number)), onError: (error) => failed(error),
})

// Too little money: the contract's own error, decoded.
const [fee] = await reader.readContract({ ...pinning, functionName: 'quotePin' })
try {
  await reader.simulateContract({ ...pinning, functionName: 'pinToEstuary', args: [cid], value: fee - 1n, account })
} catch (error) {
  saw.refused = error.walk((e) => e.name === 'ContractFunctionRevertedError')?.data?.errorName ?? String(error)
}

// Asked for at its price.
const { request } = await reader.simulateContract({ ...pinning, functionName: 'pinToEstuary', args: [cid], value: fee, account })
saw.estimate = (await reader.estimateContractGas({ ...pinning, functionName: 'pinToEstuary', args: [cid], value: fee, account })).toString()
const hash = await wallet.writeContract(request)
const receipt = await reader.waitForTransactionReceipt({ hash })
saw.asked = receipt.status
saw.used = receipt.gasUsed.toString()
saw.events = parseEventLogs({ abi: pinning.abi, logs: receipt.logs }).map((log) => log.eventName)
saw.logs = (await reader.getContractEvents({ ...pinning, eventName: 'PinRequested', fromBlock: receipt.blockNumber, toBlock: receipt.blockNumber })).length
saw.status = await reader.readContract({ ...pinning, functionName: 'statusOf', args: [cid] })
saw.head = (await head) > 0n
await unsubscribe()
saw.transaction = (await reader.getTransaction({ hash })).type

process.stdout.write(JSON.stringify(saw) + '\n', () => process.exit(0))
